namespace FreeFlow.Contract;

/// <summary>
/// State of one direction of a joined connection, one word in the ring's block, changed by compare-and-swap only.
/// The same names stand in <c>shim/models/handover.pml</c>.
/// </summary>
public enum HandoverState : uint
{
    /// <summary>Bytes go through the kernel; the reader does not look into the ring.</summary>
    Kernel = 0,

    /// <summary>The reader will look into the ring too. Set by the reader, who may also take it back (Ready to Kernel).</summary>
    Ready = 1,

    /// <summary>From kernel byte <c>SwitchAt</c> on, bytes are in the ring. Set by the writer, from Ready only.</summary>
    Ring = 2,

    /// <summary>From ring byte <c>BackAt</c> on, bytes are in the kernel again, for good. Set by the writer, from Ring only.</summary>
    Back = 3,
}
