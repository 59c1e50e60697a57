using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>A queue pair of a process, by its number; and whom it has named as its peer.</summary>
internal sealed class VerbsQueuePair(uint number, VerbsClient client, uint domain)
{
    public uint Number { get; } = number;
    public VerbsClient Client { get; } = client;
    public uint Domain { get; } = domain;

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
    public VerbsCounters Counters => Pair?.CountersOf(Side) ?? default;

    /// <summary>Its peer has been, and is no more.</summary>
    public bool IsLeft { get; set; }

    /// <summary>True if the other one names this one, and both say the same addresses.</summary>
    public bool IsNamedBy(VerbsQueuePair other) =>
        other.PeerNumber == Number && PeerNumber == other.Number && other.PeerGid == OwnGid && other.OwnGid == PeerGid;
}
