using System.Collections.Generic;
using System.Threading;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>
/// Sees to it that two routers which call each other at once get one link, not two: streams on two links would share the network by links, so that those few that were begun on one of them had
/// half of it. As with BGP's collisions (RFC 4271, 6.8) both go by the same rule: the call of the router with the lower address stands. A claim is held from Hello until the link is down, or
/// its handshake has failed; so a call in vain, to a router that does not answer, is in nobody's way. Thread-safe.
/// </summary>
/// <param name="own">This router's address.</param>
internal sealed class LinkClaims(InternetAddress own)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<InternetAddress, int> _called = [], _accepted = [];

    /// <summary>Caller, connected, before its Hello: false if the other router's call is being accepted already.</summary>
    public bool TryCall(InternetAddress host)
    {
        lock (_lock) return !_accepted.ContainsKey(host) && Add(_called, host);
    }

    /// <summary>Called router, between the other one's Hello and its own: false if its own call stands.</summary>
    public bool TryAccept(InternetAddress host)
    {
        // A router that has called and calls once more has lost the first link, whatever this side thinks of it.
        lock (_lock) return !(own.Value < host.Value && _called.ContainsKey(host)) && Add(_accepted, host);
    }

    /// <summary>What was claimed has come to nothing, or its link is down.</summary>
    public void End(InternetAddress host, bool called)
    {
        Dictionary<InternetAddress, int> claims = called ? _called : _accepted;
        lock (_lock)
        {
            if (--claims[host] == 0) claims.Remove(host);
        }
    }

    private static bool Add(Dictionary<InternetAddress, int> claims, InternetAddress host)
    {
        claims[host] = claims.GetValueOrDefault(host) + 1;
        return true;
    }
}
