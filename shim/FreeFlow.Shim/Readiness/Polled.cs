using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>poll(2)'s array in the program's memory: a copy is polled, and what the call tells is written back at its end.</summary>
internal static unsafe class Polled
{
    /// <summary>So many entries are copied on the stack, which may be small.</summary>
    private const int OnStack = 128;

    /// <summary>Fewer entries than any sensible limit of descriptors are not held against it.</summary>
    private const uint AlwaysAllowed = 64;

    /// <summary>As ppoll(2) with a relative time in nanoseconds; the count, or a negative errno.</summary>
    public static int Poll(PollDescriptor* descriptors, nuint number, ulong nanoseconds, ulong* mask)
    {
        // The kernel's own parameter is an unsigned int.
        uint count = (uint)number;
        if (count > AlwaysAllowed && count > Limit()) return -Linux.EINVAL;
        nuint bytes = count * (nuint)sizeof(PollDescriptor);
        PollDescriptor* onStack = stackalloc PollDescriptor[OnStack];
        PollDescriptor* copy = count <= OnStack ? onStack : (PollDescriptor*)Process.Reserve(bytes);
        if (copy == null) return -Linux.ENOMEM;
        int result = CallerMemory.TryRead(descriptors, copy, bytes) ? Poller.Poll(copy, count, nanoseconds, mask) : -Linux.EFAULT;
        if (result is >= 0 or -Linux.EINTR && !(CallerMemory.IsInRange(descriptors, bytes) && CallerMemory.TryWriteReturned(descriptors, copy, count))) result = -Linux.EFAULT;
        if (count > OnStack) Process.Libc->munmap(copy, bytes);
        return result;
    }

    private static ulong Limit()
    {
        RLimit limit;
        return Process.Libc->getrlimit(Linux.RLIMIT_NOFILE, &limit) == 0 ? limit.Soft : uint.MaxValue;
    }
}
