using System.Collections.Generic;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>A connection identifier (struct rdma_cm_id): an end of a connection, of one that is to be, or a listener.</summary>
internal sealed class CmIdentifier(uint number, CmChannel channel, ulong user, uint space, uint kind)
{
    public uint Number { get; } = number;

    /// <summary>Where its events go.</summary>
    public CmChannel Channel { get; set; } = channel;

    public VerbsClient Client => Channel.Client;

    /// <summary>By what the process names it in events; 0: it has not said, and hears of nothing.</summary>
    public ulong User { get; set; } = user;

    public uint Space { get; } = space;

    /// <summary>The kind of its queue pair.</summary>
    public uint Kind { get; } = kind;

    public bool IsDatagram => Kind == Contract.VerbsProtocol.UnreliableDatagram;

    public CmState State { get; set; }
    public InternetEndpoint Own { get; set; }
    public InternetEndpoint Peer { get; set; }

    /// <summary>True if its port is its own; an end that was made for a request has the listener's.</summary>
    public bool HoldsPort { get; set; }

    public bool ReusesAddress { get; set; }

    /// <summary>A listener on all IPv6 addresses does not take IPv4's.</summary>
    public bool ExcludesFamily { get; set; }

    /// <summary>What the program has set, plus 1; 0 if it has not.</summary>
    public byte AcknowledgeTimeout { get; set; }

    /// <summary>Of a listener: how many more requests may wait to be fetched.</summary>
    public int Room { get; set; }

    /// <summary>The other end; null before there is one, and once it has gone.</summary>
    public CmIdentifier? Partner { get; set; }

    /// <summary>The peer's queue pair.</summary>
    public uint RemoteNumber { get; set; }

    /// <summary>What both have agreed on.</summary>
    public ulong Parameters { get; set; }

    /// <summary>Events of it that the process has fetched.</summary>
    public uint Fetched { get; set; }

    /// <summary>Its place among those that wait for a limited time; null: it waits for nothing.</summary>
    public LinkedListNode<(CmIdentifier, long)>? Deadline { get; set; }

    public override string ToString() => $"{Own} – {Peer} ({State})";
}
