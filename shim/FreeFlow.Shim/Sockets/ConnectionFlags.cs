using System;

namespace FreeFlow.Shim.Sockets;

/// <summary>Bits of ConnectionRecord.Flags, set with interlocked operations.</summary>
[Flags]
internal enum ConnectionFlags : uint
{
    None = 0,

    /// <summary>O_NONBLOCK was set by a call the shim saw; asked again from the kernel before a thread sleeps.</summary>
    NonBlocking = 1,

    /// <summary>Will never be offered (again); Reason says why.</summary>
    KernelOnly = 2,

    /// <summary>The router holds an offer or a join of this record that must be withdrawn at close.</summary>
    ShownToRouter = 4,

    /// <summary>The peer's end of stream has been seen on the kernel socket.</summary>
    PeerFinished = 8,

    /// <summary>shutdown(SHUT_WR) was called here.</summary>
    SendShutdown = 16,

    /// <summary>connect(2) returned EINPROGRESS and nothing has been moved since.</summary>
    Connecting = 32,

    /// <summary>The outgoing block has used pages beyond its first.</summary>
    Grown = 64,

    /// <summary>This end has asked the peer to take unread bytes back; the ring is not read any more.</summary>
    WantsKernel = 128,

    /// <summary>The peer's end of the doorbell is closed: it has closed the connection or is dead.</summary>
    DoorbellGone = 256,

    /// <summary>The application was told that the peer has died with bytes unread.</summary>
    ResetTold = 512,

    /// <summary>shutdown(SHUT_RD) was called here.</summary>
    ReceiveShutdown = 1 << 15,

    /// <summary>A descriptor of it was made inheritable, or was copied, for another program: the next exec hands it on.</summary>
    Inheritable = 1 << 16,

    /// <summary>A pump carries what another program reads; nothing else may empty the ring for one.</summary>
    Pumped = 1 << 17,

    /// <summary>A process of another pid namespace holds it, whose life this one cannot see.</summary>
    ForeignHolder = 1 << 18,

    /// <summary>The ring's other side is the router, which mirrors it to another host (docs/fabric.md).</summary>
    Mirrored = 1 << 19,

    /// <summary>Receiver of a mirrored ring: the return mark has been read; the ring ends at ReceiveBackAt.</summary>
    MarkTaken = 1 << 20,

    /// <summary>Receiver of a mirrored ring: the kernel's end of stream is not told before the router has said that the ring is whole.</summary>
    EndHeld = 1 << 21,

    /// <summary>A descriptor of it was passed to another process (SCM_RIGHTS), which may have the socket open for longer than the family.</summary>
    Passed = 1 << 22,

    /// <summary>Its mirrored ring was given up, and both directions are in the kernel, but for a mark that may still come; it may get another ring (<see cref="Reattachment"/>).</summary>
    Detached = 1 << 23,

    /// <summary>What is unread in its ring counts only from SO_RCVLOWAT on (<see cref="Sockets.LowWater"/>).</summary>
    LowWater = 1 << 24,

    /// <summary>connect(2) to AF_UNSPEC has ended it.</summary>
    Dissolved = 1 << 25,

    /// <summary>SO_RCVTIMEO is negative: a receive that finds nothing fails at once (<see cref="SocketTimeouts"/>).</summary>
    ReceivesAtOnce = 1 << 26,

    /// <summary>SO_SNDTIMEO is negative: a send that finds no room fails at once.</summary>
    SendsAtOnce = 1 << 27,

    /// <summary>The program has asked for more room than the ring has (<see cref="BufferSizes"/>).</summary>
    Outgrown = 1 << 28,
}
