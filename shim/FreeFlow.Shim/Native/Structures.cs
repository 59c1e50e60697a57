using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Native;

// The structures of Linux on x86-64 that cross the libc seam, as in the kernel's uapi headers.

/// <summary>struct iovec.</summary>
internal unsafe struct IoVector { public byte* Base; public nuint Length; }

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct MessageHeader
{
    // Where recvmsg(2) writes: the address of a field of a structure that may not be there is not to be taken in C#, which reads it to see.
    public const int NameLengthOffset = 8, ControlLengthOffset = 40, FlagsOffset = 48;

    [FieldOffset(0)] public void* Name;
    [FieldOffset(8)] public uint NameLength;
    [FieldOffset(16)] public IoVector* Vectors;
    [FieldOffset(24)] public nuint VectorCount;
    [FieldOffset(32)] public byte* Control;
    [FieldOffset(40)] public nuint ControlLength;
    [FieldOffset(48)] public int Flags;
}

/// <summary>struct mmsghdr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct MultipleMessageHeader
{
    public const int LengthOffset = 56;

    [FieldOffset(0)] public MessageHeader Header;
    [FieldOffset(56)] public uint Length;
}

/// <summary>struct timespec.</summary>
internal struct TimeSpec { public long Seconds; public long Nanoseconds; }

/// <summary>struct timeval.</summary>
internal struct TimeValue { public long Seconds; public long Microseconds; }

/// <summary>struct pollfd.</summary>
internal struct PollDescriptor { public int Descriptor; public short Events; public short Returned; }

/// <summary>struct epoll_event (packed on x86-64).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct EpollEvent { public uint Events; public ulong Data; }

/// <summary>struct rlimit.</summary>
internal struct RLimit { public ulong Soft; public ulong Hard; }
