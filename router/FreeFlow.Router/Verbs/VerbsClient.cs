using System.Collections.Generic;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>A process with verbs: its queue pairs and the regions that it lets others use. Keys and domains are its own; numbers of queue pairs are the host's.</summary>
internal sealed class VerbsClient(Session session, uint ownProcessId)
{
    /// <summary>Of one process. A region takes up to two descriptors of this router, a queue pair up to three.</summary>
    public const int MostQueuePairs = 16384, MostRegions = 16384;

    public Session Session { get; } = session;

    /// <summary>Its pid as it sees itself.</summary>
    public uint OwnProcessId { get; } = ownProcessId;

    public Dictionary<uint, VerbsQueuePair> QueuePairs { get; } = [];
    public Dictionary<uint, VerbsRegion> Regions { get; } = [];

    /// <summary>Its event channels and connection identifiers, by number.</summary>
    public Dictionary<uint, CmChannel> Channels { get; } = [];
    public Dictionary<uint, CmIdentifier> Identifiers { get; } = [];

    /// <summary>A UDP socket of its network namespace, by which that is asked for its addresses; −1 before it has shown one.</summary>
    public int NetworkSocket { get; set; } = -1;

    /// <summary>IPv6 addresses that it has shown sockets of.</summary>
    public HashSet<InternetAddress> ShownAddresses { get; } = [];

    /// <summary>True if both are the same user's and of one user namespace: each could look into the other's memory anyway.</summary>
    public bool IsSameUserAs(VerbsClient other) =>
        this == other || (Session.Peer.UserId == other.Session.Peer.UserId && Session.Origin.IsKnown && other.Session.Origin.IsKnown && Session.Origin.Users == other.Session.Origin.Users);
}
