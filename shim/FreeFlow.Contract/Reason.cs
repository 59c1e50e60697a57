namespace FreeFlow.Contract;

/// <summary>Why a connection did not take the next step towards its ring, or left it. Numbers are part of the protocol: append only.</summary>
public enum Reason : uint
{
    None = 0,
    /// <summary>Too few messages and bytes so far to be worth an offer.</summary>
    NotYetOffered = 1,
    /// <summary>The router's socket cannot be reached.</summary>
    NoRouter = 2,
    /// <summary>The other end has not been shown to this router.</summary>
    PeerNotOffered = 3,
    /// <summary>More than one process holds the socket.</summary>
    SharedByFork = 4,
    /// <summary>The descriptor is in an epoll set that is itself watched by another one.</summary>
    NestedEpoll = 5,
    /// <summary>A network namespace that belongs to a user namespace proves nothing across namespaces.</summary>
    UnprovenNamespace = 6,
    /// <summary>Several ends in other network namespaces have mirrored this end's addresses, and none was its other end.</summary>
    AmbiguousAddress = 7,
    /// <summary>Remote address outside VNET_PREFIX.</summary>
    OutsidePrefix = 8,
    /// <summary>Doorbells would take too large a share of RLIMIT_NOFILE.</summary>
    DescriptorLimit = 9,
    /// <summary>Ring memory could not be had.</summary>
    MemoryLimit = 10,
    /// <summary>The peer wrote an impossible value into the ring.</summary>
    CorruptRing = 11,
    /// <summary>A socket option asks for what only the kernel does (zero-copy, TLS upper layer, repair, asynchronous signals).</summary>
    KernelOnlyOption = 12,
    /// <summary>DISABLE or configuration switched acceleration off.</summary>
    Disabled = 13,
    /// <summary>The peer closed or shut down its end.</summary>
    PeerClosed = 14,
    /// <summary>Kernel byte counters show bytes the shim has not carried.</summary>
    BytesOutOfSight = 15,
    /// <summary>The descriptor's stream was taken by fdopen(3).</summary>
    StandardIoStream = 16,
    /// <summary>The process replaced its image while holding the connection.</summary>
    Exec = 17,
    /// <summary>The descriptor was passed to another process.</summary>
    DescriptorPassed = 18,
    /// <summary>Shim and router speak different versions.</summary>
    VersionMismatch = 19,
    /// <summary>The router's limits for this user are used up.</summary>
    RouterLimit = 20,
    /// <summary>The socket shown is not an established TCP connection.</summary>
    NotEstablished = 21,
    /// <summary>The first end's socket was gone when the second was shown.</summary>
    PeerGone = 22,
    /// <summary>The family table is full.</summary>
    TableFull = 23,
    /// <summary>The kernel lacks a facility that the proof needs.</summary>
    NoWitness = 24,
    /// <summary>More than one descriptor table or thread was inside a kernel call when the direction should have been handed over.</summary>
    Busy = 25,
    /// <summary>The process is about to install a seccomp filter, which knows the application's calls and not the shim's.</summary>
    Sandboxed = 26,
    /// <summary>The program moves the bytes by a road that passes the shim by: io_uring or asynchronous I/O.</summary>
    AnotherRoad = 27,
    /// <summary>Closed while registered in an epoll set, with a duplicate still open: the kernel reports that registration, and nobody can change it.</summary>
    ClosedRegistration = 28,
    /// <summary>A rule of the router's policy leaves connections between these two addresses to the kernel.</summary>
    Policy = 29,
    /// <summary>The ring was given up with the router, or the way to the other host's; the connection will be offered again.</summary>
    WayLost = 30,
    /// <summary>The network translates this end's own address for the other one (SNAT, masquerading): they cannot be known to be one connection's.</summary>
    Translated = 31,
    /// <summary>A rule of the router's policy goes by labels or a namespace of these addresses that the router does not know (yet). Only routers say it.</summary>
    LabelsUnknown = 32,
    /// <summary>Who answers at the router's socket is not proven to be the host's router: its user, or its pid namespace, is a stranger's.</summary>
    UntrustedRouter = 33,
    /// <summary>The program waits for its connections by system calls of its own, which do not see the ring.</summary>
    ReadinessOutOfSight = 34,
}
