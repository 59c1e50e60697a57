using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Uring;

/// <summary>
/// struct io_uring_params of the kernel's uapi, as io_uring_setup(2) leaves it: where the parts of the submission queue lie.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct RingParameters
{
    public const int Bytes = 120;

    /// <summary>IORING_SETUP_ flags.</summary>
    public const uint CompletionPolling = 1, SubmissionPolling = 2, LargeEntries = 1 << 10, OwnMemory = 1 << 14, NoIndexArray = 1 << 16;

    /// <summary>The flags up to CQE_MIXED: what a later one does to the submission queue nobody knows here.</summary>
    public const uint KnownFlags = (1 << 19) - 1;

    [FieldOffset(0)] public uint Entries;
    [FieldOffset(8)] public uint Flags;
    [FieldOffset(40)] public uint Head;
    [FieldOffset(44)] public uint Tail;
    [FieldOffset(64)] public uint IndexArray;

    /// <summary>With <see cref="OwnMemory"/> the program's memory: the entries, and the rings.</summary>
    [FieldOffset(72)] public ulong EntriesAddress;
    [FieldOffset(112)] public ulong RingAddress;
}
