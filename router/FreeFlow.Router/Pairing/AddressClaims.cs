using System.Collections.Generic;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// Which network namespaces have shown which local address, by living sessions. Across namespaces an address proves something only while one namespace alone has it.
/// Namespaces that anyone can make do not count: they could otherwise take a stranger's acceleration away.
/// </summary>
internal sealed class AddressClaims
{
    private readonly Dictionary<InternetAddress, Dictionary<ulong, int>> _claims = [];

    /// <summary>One more session claims <paramref name="address"/> for the namespace.</summary>
    public void Add(InternetAddress address, ulong namespaceCookie)
    {
        if (!_claims.TryGetValue(address, out Dictionary<ulong, int>? holders)) _claims[address] = holders = [];
        holders[namespaceCookie] = holders.GetValueOrDefault(namespaceCookie) + 1;
    }

    /// <summary>One session less.</summary>
    public void Remove(InternetAddress address, ulong namespaceCookie)
    {
        if (!_claims.TryGetValue(address, out Dictionary<ulong, int>? holders) || !holders.TryGetValue(namespaceCookie, out int count)) return;
        if (count > 1) { holders[namespaceCookie] = count - 1; return; }
        holders.Remove(namespaceCookie);
        if (holders.Count == 0) _claims.Remove(address);
    }

    /// <summary>True if this namespace and no other claims the address.</summary>
    public bool BelongsTo(InternetAddress address, ulong namespaceCookie) =>
        _claims.TryGetValue(address, out Dictionary<ulong, int>? holders) && holders.Count == 1 && holders.ContainsKey(namespaceCookie);
}
