using System.Collections.Generic;
using System.Linq;
using System.Threading;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>Ends about which the policy cannot say anything before more is known of one of their addresses. The event loop's; <see cref="Any"/> is any thread's.</summary>
internal sealed class Undecided
{
    private readonly Dictionary<InternetAddress, HashSet<ConnectionEnd>> _byAddress = [];
    private int _count;

    /// <summary>True if somebody waits.</summary>
    public bool Any => Volatile.Read(ref _count) > 0;

    public void Add(ConnectionEnd end)
    {
        if (end.IsUndecided) return;
        end.IsUndecided = true;
        Interlocked.Increment(ref _count);
        List(end.Addresses.Local.Address).Add(end);
        List(end.Addresses.Remote.Address).Add(end);
    }

    /// <summary>It is decided, or gone; harmless if it was not waited for.</summary>
    public void Remove(ConnectionEnd end)
    {
        if (!end.IsUndecided) return;
        end.IsUndecided = false;
        Interlocked.Decrement(ref _count);
        Unlist(end.Addresses.Local.Address, end);
        Unlist(end.Addresses.Remote.Address, end);
    }

    /// <summary>Those that have the address at either side; they wait no more.</summary>
    public ConnectionEnd[] TakeWith(InternetAddress address) => Take(_byAddress.TryGetValue(address, out HashSet<ConnectionEnd>? ends) ? ends : []);

    /// <summary>All of them; they wait no more.</summary>
    public ConnectionEnd[] TakeAll() => Take(_byAddress.Values.SelectMany(ends => ends));

    private ConnectionEnd[] Take(IEnumerable<ConnectionEnd> some)
    {
        ConnectionEnd[] ends = [.. some.Distinct()];
        foreach (ConnectionEnd end in ends) Remove(end);
        return ends;
    }

    private HashSet<ConnectionEnd> List(InternetAddress address)
    {
        if (!_byAddress.TryGetValue(address, out HashSet<ConnectionEnd>? ends)) _byAddress[address] = ends = [];
        return ends;
    }

    private void Unlist(InternetAddress address, ConnectionEnd end)
    {
        if (_byAddress.TryGetValue(address, out HashSet<ConnectionEnd>? ends) && ends.Remove(end) && ends.Count == 0) _byAddress.Remove(address);
    }
}
