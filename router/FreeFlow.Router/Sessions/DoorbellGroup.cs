using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Connections between the same two processes that share one doorbell, because one of them runs short of descriptors: up to <see cref="Most"/>, since each ring
/// makes its hearer look at all of them. The router keeps no descriptor; it names the connection that has the doorbell, and each process finds it by that.
/// </summary>
internal sealed class DoorbellGroup
{
    /// <summary>Connections of one doorbell.</summary>
    public const int Most = 16;

    private readonly ConnectionEnd _first;
    private readonly ConnectionEnd _second;
    private int _count = 1;

    private DoorbellGroup(ConnectionEnd first, ConnectionEnd second)
    {
        _first = first;
        _second = second;
    }

    /// <summary>The group that these two ends may join, counted in already; null if there is none with room whose first connection still lives.</summary>
    public static DoorbellGroup? Find(ConnectionEnd first, ConnectionEnd second)
    {
        Session one = (Session)first.Owner, other = (Session)second.Owner;
        if (!one.DoorbellGroups.TryGetValue(other, out DoorbellGroup? group)) return null;
        bool lives = one.Ends.Contains(group.MateOf(first, second)) && other.Ends.Contains(group.MateOf(second, first));
        if (!lives || group._count == Most)
        {
            one.DoorbellGroups.Remove(other);
            other.DoorbellGroups.Remove(one);
            return null;
        }
        group._count++;
        return group;
    }

    /// <summary>Makes a group of a connection that gets a doorbell of its own.</summary>
    public static void Begin(ConnectionEnd first, ConnectionEnd second)
    {
        Session one = (Session)first.Owner, other = (Session)second.Owner;
        one.DoorbellGroups[other] = other.DoorbellGroups[one] = new DoorbellGroup(first, second);
    }

    /// <summary>The connection whose doorbell <paramref name="end"/>, which talks to <paramref name="peer"/>, has in its process.</summary>
    public ConnectionEnd MateOf(ConnectionEnd end, ConnectionEnd peer)
    {
        if (end.Owner != peer.Owner) return _first.Owner == end.Owner ? _first : _second;
        // Both ends in one process: any order will do that differs for the two.
        return end.Connection < peer.Connection ? _first : _second;
    }
}
