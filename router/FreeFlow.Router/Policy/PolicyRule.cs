using System.Threading;
using FreeFlow.Locations;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Policy;

/// <summary>Connections between two networks, whoever opened them, and what they may go over.</summary>
internal sealed class PolicyRule(string name, Cidr from, Cidr to, Transports over)
{
    private long _decided;

    public string Name { get; } = name;

    public Transports Over { get; } = over;

    /// <summary>How many connections it has decided about.</summary>
    public long Decided => Volatile.Read(ref _decided);

    /// <summary>True if it speaks of connections between these two.</summary>
    public bool Covers(FourTuple addresses)
    {
        Address local = new(addresses.Local.Address.Value), remote = new(addresses.Remote.Address.Value);
        return (from.Contains(local) && to.Contains(remote)) || (from.Contains(remote) && to.Contains(local));
    }

    public void Count() => Interlocked.Increment(ref _decided);
}
