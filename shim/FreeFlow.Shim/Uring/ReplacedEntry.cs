namespace FreeFlow.Shim.Uring;

/// <summary>
/// An entry that the shim has served, and put a NOP with the same result in place of: what to put back when the kernel has taken it.
/// </summary>
internal struct ReplacedEntry
{
    /// <summary>The queue's head is beyond it once it has been taken.</summary>
    public uint Position;
    public uint Slot;
    public ulong HeadWord, LengthWord, NopHeadWord, NopLengthWord;
}
