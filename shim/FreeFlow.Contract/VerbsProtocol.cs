namespace FreeFlow.Contract;

/// <summary>
/// Constants of the verbs messages. A process that uses RDMA verbs has a session of its own for them on the router's socket, where it asks and waits for the answer: one request,
/// one reply with the same sequence number. Transport and encoding are those of <see cref="Protocol"/>.
/// </summary>
public static class VerbsProtocol
{
    /// <summary>Of the messages in <c>Messages/Verbs*</c>; named in <see cref="Messages.VerbsHello"/>.</summary>
    public const uint Version = 3;

    /// <summary>Kinds of queue pairs: IBV_QPT_RC, _UC, _UD.</summary>
    public const uint ReliableConnection = 2, UnreliableConnection = 3, UnreliableDatagram = 4;

    /// <summary>Queue pair numbers and keys are 24 and 32 bits wide (IBA 3.5.3, 10.6.3).</summary>
    public const uint MaximumQueuePairNumber = 0xffffff;

    /// <summary>Access rights that a region or queue pair can give away: IBV_ACCESS_REMOTE_WRITE, _READ, _ATOMIC (ibv_reg_mr(3)).</summary>
    public const uint RemoteWrite = 2, RemoteRead = 4, RemoteAtomic = 8, RemoteAccess = RemoteWrite | RemoteRead | RemoteAtomic;

    /// <summary>Unit in which regions are shared.</summary>
    public const ulong PageBytes = 4096;

    /// <summary>Pages at the edges of regions lie within the first 4 GiB of their memfd.</summary>
    public const uint MaximumEdgePlace = (1 << 20) - 1;

    /// <summary>Bytes of an edge that one <see cref="Messages.VerbsEdge"/> carries at most.</summary>
    public const int MaximumEdgeBytes = 240;

    /// <summary>Port spaces of the connection manager: RDMA_PS_* (rdma_create_id(3)).</summary>
    public const uint PortSpaceIpoib = 2, PortSpaceTcp = 0x106, PortSpaceUdp = 0x111, PortSpaceIb = 0x13f;

    /// <summary>Most private data that any message of the connection manager carries.</summary>
    public const int MaximumPrivateBytes = 196;

    /// <summary>
    /// Private data that a request for a connection, its answer, and a rejection carry (rdma_connect(3), rdma_accept(3), rdma_reject(3)).
    /// </summary>
    public const int RequestBytes = 56, ResponseBytes = 196, RejectionBytes = 148;

    /// <summary>The same of datagram identifiers.</summary>
    public const int DatagramRequestBytes = 180, DatagramResponseBytes = 136;

    /// <summary>The largest error number (MAX_ERRNO).</summary>
    public const uint MaximumErrno = 4095;

    /// <summary>Beside the count of events: the channel has none left, and its descriptor is still readable.</summary>
    public const ulong CmHasNoMoreEvents = 1UL << 32;
}
