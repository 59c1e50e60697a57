namespace FreeFlow.Shim.Uring;

/// <summary>
/// A submission queue of this process that the shim looks through before the kernel does. Private to the process; a forked child starts
/// with a copy.
/// </summary>
internal unsafe struct SubmissionQueue
{
    /// <summary>Descriptors and registered indexes that stand for the ring; 0: the place is free.</summary>
    public int References;

    /// <summary>The process that made the ring, which alone can tell whether all of its submissions are seen.</summary>
    public int Owner;

    /// <summary>One of its descriptors, -1 if there is none.</summary>
    public int Descriptor;
    public RingParameters Parameters;

    /// <summary>
    /// The shim's own mapping of ring and entries, or with <see cref="RingParameters.OwnMemory"/> the program's memory; null until they are
    /// first needed.
    /// </summary>
    public byte* Ring;
    public byte* Entries;

    /// <summary>The kernel's head after the last submission that was seen.</summary>
    public uint HeadSeen;

    /// <summary>Calls that are submitting, and have not been accounted for.</summary>
    public int Inside;

    /// <summary>The only thread that has submitted so far, 0 if none; and the head when its entries will have been taken.</summary>
    public uint Submitter;
    public uint HeadExpected;

    /// <summary>Not 0: several threads submit, so that looking and submitting are one critical section, under <see cref="Lock"/>.</summary>
    public int IsShared;
    public uint Lock;

    /// <summary>Not 0: IORING_REGISTER_RESTRICTIONS may forbid the NOP that stands for a served entry.</summary>
    public int IsRestricted;

    /// <summary>As many places as the queue has; the first <see cref="ReplacedCount"/> are taken.</summary>
    public ReplacedEntry* Replaced;
    public uint ReplacedCount;
}
