namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Where one end stands in one direction: the high half of SendGate and ReceiveGate. The shared word is <see cref="Contract.HandoverState"/>; this is
/// the end's own, trusted view. Same names in <c>shim/models/handover.pml</c>.
/// </summary>
internal enum DirectionPhase : uint
{
    /// <summary>Calls go to the kernel and are counted in the gate's low half while they are inside.</summary>
    Kernel = 0,

    /// <summary>Receiver only: announced Ready; looks at kernel and ring.</summary>
    Ready = 1,

    /// <summary>The ring carries the bytes (for the receiver: after the kernel's remaining ones).</summary>
    Ring = 2,

    /// <summary>The kernel carries the bytes again: for good, or until <see cref="Reattachment"/> makes it Kernel. Calls are counted as there.</summary>
    Back = 3,

    /// <summary>One thread, the holder of the direction's lock, is about to leave Kernel.</summary>
    Switching = 4,

    /// <summary>Mirrored rings: what the ring held last goes, or comes, by the kernel, behind the mark (docs/fabric.md).</summary>
    Returning = 5,
}
