using FreeFlow.Contract;

namespace FreeFlow.Router.Observe;

/// <summary>States and reasons as people read them; the only place where these words stand.</summary>
internal static class Words
{
    /// <summary>A state by the names of the design's principle 8.</summary>
    public static string Of(ConnectionState state) => state switch
    {
        ConnectionState.Free => "free",
        ConnectionState.Kernel => "kernel",
        ConnectionState.Offered => "offered",
        ConnectionState.Joined => "joined",
        ConnectionState.RingSharedMemory => "ring (shm)",
        ConnectionState.RingRdma => "ring (rdma)",
        ConnectionState.RingFabric => "ring (tcp fabric)",
        ConnectionState.HandedBack => "handed back",
        ConnectionState.Closed => "closed",
        _ => $"unknown state {(uint)state}",
    };

    /// <summary>Why a connection is not further; empty for <see cref="Reason.None"/>.</summary>
    public static string Of(Reason reason) => reason switch
    {
        Reason.None => "",
        Reason.NotYetOffered => "too little traffic so far",
        Reason.AnotherRoad => "the program uses io_uring or asynchronous I/O",
        Reason.NoRouter => "no router",
        Reason.PeerNotOffered => "the other end is not known to this router",
        Reason.SharedByFork => "more than one process holds the socket",
        Reason.NestedEpoll => "watched through nested epoll sets",
        Reason.UnprovenNamespace => "its network namespace belongs to a user namespace",
        Reason.AmbiguousAddress => "other network namespaces show ends with its addresses that are not its other end",
        Reason.OutsidePrefix => "the remote address is outside VNET_PREFIX",
        Reason.DescriptorLimit => "too few descriptors left (ulimit -n)",
        Reason.MemoryLimit => "no memory for the ring",
        Reason.CorruptRing => "the peer wrote nonsense into the ring",
        Reason.KernelOnlyOption => "a socket option needs the kernel",
        Reason.Disabled => "switched off",
        Reason.PeerClosed => "the peer has closed",
        Reason.BytesOutOfSight => "bytes moved that the shim did not see",
        Reason.StandardIoStream => "used through a stdio stream",
        Reason.Exec => "the process replaced its program",
        Reason.DescriptorPassed => "the socket was passed to another process",
        Reason.VersionMismatch => "shim and router are of different versions",
        Reason.RouterLimit => "the router's limit for this user is reached",
        Reason.NotEstablished => "not an established TCP connection",
        Reason.PeerGone => "closed before the other end was shown",
        Reason.TableFull => "too many connections in this process",
        Reason.NoWitness => "the router lacks the rights (CAP_BPF, CAP_NET_ADMIN) or the kernel the means to prove it",
        Reason.Busy => "busy in the kernel when it should have moved",
        Reason.Sandboxed => "the process has shut itself in by seccomp",
        Reason.ClosedRegistration => "closed while in an epoll set, but open by a duplicate",
        Reason.Policy => "the policy leaves it to the kernel",
        Reason.LabelsUnknown => "a rule of the policy goes by labels that are not known",
        Reason.Translated => "the network translates its own address for the other end",
        Reason.WayLost => "its way was lost; it will be offered again",
        Reason.ReadinessOutOfSight => "the program waits for it by system calls that pass the shim by",
        Reason.UntrustedRouter => "who answers at the router's socket is not the host's router",
        _ => $"unknown reason {(uint)reason}",
    };
}
