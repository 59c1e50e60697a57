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
}
