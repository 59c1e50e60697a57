using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Uring;

/// <summary>
/// struct io_uring_sqe of the kernel's uapi: what the program asks for. Most fields have other names in other operations; those that the
/// shim reads are named here.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct SubmissionEntry
{
    public const int Bytes = 64;

    /// <summary>IOSQE_FIXED_FILE: the descriptor is an index of a registered file.</summary>
    public const byte FixedFile = 1;

    /// <summary>IOSQE_IO_DRAIN: it begins when everything before it has ended.</summary>
    public const byte Drain = 2;

    /// <summary>IOSQE_IO_LINK, IOSQE_IO_HARDLINK: the next one begins when this one has ended.</summary>
    public const byte Link = 4, HardLink = 8;

    /// <summary>IOSQE_ASYNC, IOSQE_CQE_SKIP_SUCCESS: change nothing about what is done.</summary>
    public const byte Async = 0x10, SkipSuccess = 0x40;

    [FieldOffset(0)] public byte Opcode;
    [FieldOffset(1)] public byte Flags;
    [FieldOffset(2)] public ushort Priority;
    [FieldOffset(4)] public int Descriptor;

    /// <summary>The position in a file; the descriptor of EPOLL_CTL.</summary>
    [FieldOffset(8)] public ulong Offset;
    [FieldOffset(16)] public ulong Address;

    /// <summary>A length; EPOLL_CTL's operation, SHUTDOWN's direction.</summary>
    [FieldOffset(24)] public uint Length;

    /// <summary>Flags of the operation itself.</summary>
    [FieldOffset(28)] public uint OperationFlags;
    [FieldOffset(40)] public ushort BufferIndex;

    /// <summary>The source of SPLICE and TEE; of CLOSE, the index of a registered file plus one.</summary>
    [FieldOffset(44)] public int SourceDescriptor;

    /// <summary>The words that a NOP in its place changes: opcode to descriptor, and length to flags.</summary>
    [FieldOffset(0)] public ulong HeadWord;
    [FieldOffset(24)] public ulong LengthWord;
}
