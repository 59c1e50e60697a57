using System.Collections.Generic;
using System.Threading;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>Callers in the midst of their handshake: so many at once, and so few of them from one address that it cannot keep the others out. Thread-safe.</summary>
internal sealed class Strangers
{
    private const int MostInAll = 64, MostOfOne = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<InternetAddress, int> _byAddress = [];
    private int _count;

    /// <summary>False if there are too many already; otherwise <see cref="Leave"/> must follow.</summary>
    public bool TryEnter(InternetAddress caller)
    {
        InternetAddress from = Network(caller);
        lock (_lock)
        {
            int ofOne = _byAddress.GetValueOrDefault(from);
            if (_count == MostInAll || ofOne == MostOfOne) return false;
            _byAddress[from] = ofOne + 1;
            _count++;
            return true;
        }
    }

    public void Leave(InternetAddress caller)
    {
        InternetAddress from = Network(caller);
        lock (_lock)
        {
            _count--;
            if (--_byAddress[from] == 0) _byAddress.Remove(from);
        }
    }

    /// <summary>Of IPv6 a host has as many as it likes, in its network of 64 bits.</summary>
    private static InternetAddress Network(InternetAddress address) => address.IsIPv4 ? address : new(address.Value >> 64 << 64);
}
