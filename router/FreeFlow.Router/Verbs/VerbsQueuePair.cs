using System.Collections.Generic;
using System.Linq;
using FreeFlow.Contract;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>A queue pair of a process, by its number; and whom it has named as its peer.</summary>
internal sealed class VerbsQueuePair(uint number, VerbsClient client, uint domain, uint kind)
{
    /// <summary>Paths of a datagram queue pair, in either direction; and those of them that other users' programs may take of it, each user.</summary>
    public const int MostPaths = 1024, MostPathsOfAnother = MostPaths / 8;

    public uint Number { get; } = number;
    public VerbsClient Client { get; } = client;
    public uint Domain { get; } = domain;

    public bool IsDatagram => kind == VerbsProtocol.UnreliableDatagram;

    /// <summary>Of a datagram queue pair that takes messages: where it is told who sends to it.</summary>
    public VerbsInbox? Inbox { get; set; }

    /// <summary>Of a datagram queue pair: one more path may lead here from that process.</summary>
    public bool MayHearFrom(VerbsClient sender) =>
        Incoming.Count < MostPaths
        && (sender.IsSameUserAs(Client) || Incoming.Count(path => path.Sender.Client.Session.Account == sender.Session.Account) < MostPathsOfAnother);

    /// <summary>Of a datagram queue pair: to whom it sends.</summary>
    public Dictionary<(InternetAddress Own, InternetAddress Peer, uint Number), VerbsPath> Outgoing { get; } = [];

    /// <summary>Likewise: who sends to it.</summary>
    public HashSet<VerbsPath> Incoming { get; } = [];

    /// <summary>What its peer may do, of what the peer asks for with a key.</summary>
    public uint Access { get; set; }

    public InternetAddress OwnGid { get; set; }
    public InternetAddress PeerGid { get; set; }
    public uint PeerNumber { get; set; }

    /// <summary>The memory that it shares with its peer, or will when that names it; null before RTR.</summary>
    public VerbsPair? Pair { get; set; }

    /// <summary>Its block in <see cref="Pair"/>.</summary>
    public int Side { get; set; }

    /// <summary>The peer, once both have named each other.</summary>
    public VerbsQueuePair? Peer { get; set; }

    /// <summary>What it has sent on its present connection.</summary>
    public VerbsCounters Counters
    {
        get
        {
            VerbsCounters counters = Pair?.CountersOf(Side) ?? default;
            foreach (VerbsPath path in Outgoing.Values) counters = counters.And(path.Shared.CountersOf(VerbsPath.Sending));
            return counters;
        }
    }

    /// <summary>Its peer has been, and is no more.</summary>
    public bool IsLeft { get; set; }

    /// <summary>True if the other one names this one, and both say the same addresses.</summary>
    public bool IsNamedBy(VerbsQueuePair other) =>
        other.PeerNumber == Number && PeerNumber == other.Number && other.PeerGid == OwnGid && other.OwnGid == PeerGid;
}
