using System.Runtime.CompilerServices;

namespace FreeFlow.Shim.Native;

/// <summary>
/// The calling program's memory, of which nothing is known: what a pointer names may be unmapped, read-only, or end in the middle. Every access goes through a
/// copy that survives the fault (native/copy.S); false stands for EFAULT, as the kernel's own calls answer.
/// </summary>
internal static unsafe class CallerMemory
{
    /// <summary>Up to here every address can be a program's, whatever levels of page tables the machine has.</summary>
    private const ulong LowestLimit = (1UL << 47) - PageBytes;

    private const nuint PageBytes = 4096;

    /// <summary>Copies <paramref name="bytes"/> out of the program's memory.</summary>
    public static bool TryRead(void* source, void* target, nuint bytes) => Process.Copy(target, source, bytes) == 0;

    /// <summary>Copies one value out of the program's memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead<T>(T* source, T* target) where T : unmanaged => Process.Copy(target, source, (nuint)sizeof(T)) == 0;

    /// <summary>Copies <paramref name="bytes"/> into the program's memory; of those that do not fit, as the kernel, the ones in front of the first that cannot be written.</summary>
    public static bool TryWrite(void* target, void* source, nuint bytes)
    {
        if (Process.Copy(target, source, bytes) == 0) return true;
        for (nuint i = 0; i < bytes && Process.Copy((byte*)target + i, (byte*)source + i, 1) == 0; i++) { }
        return false;
    }

    /// <summary>Copies one value into the program's memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWrite<T>(T* target, T value) where T : unmanaged => Process.Copy(target, &value, (nuint)sizeof(T)) == 0;

    /// <summary>Copies what poll(2) tells, and nothing else, into the program's entries.</summary>
    public static bool TryWriteReturned(PollDescriptor* target, PollDescriptor* source, nuint count) => Process.CopyReturned(target, source, count) == 0;

    /// <summary>True if all of it can be read: for what is too large to be copied, and is used where it lies.</summary>
    public static bool CanRead(void* memory, nuint bytes)
    {
        byte seen;
        byte* at = (byte*)memory, end = at + bytes;
        if (bytes == 0) return true;
        if (end < at) return false;
        for (; at < end; at = (byte*)(((nuint)at | (PageBytes - 1)) + 1))
            if (Process.Copy(&seen, at, 1) != 0) return false;
        return true;
    }

    /// <summary>
    /// False if the kernel refuses such a buffer without looking at it, because it reaches beyond what a program can have (access_ok); a call may
    /// fail for that though it would not have touched a byte.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsInRange(void* memory, nuint bytes)
    {
        nuint end = (nuint)memory + bytes;
        return end >= bytes && (end <= LowestLimit || KernelAllows(end));
    }

    /// <summary>Machines differ in how far a program's addresses go: the kernel looks at a buffer's range before it looks for the descriptor.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool KernelAllows(nuint end)
    {
        int errno = Process.Errno;
        Process.Libc->recv(-1, (byte*)end, 0, 0);
        bool allowed = Process.Errno != Linux.EFAULT;
        Process.Errno = errno;
        return allowed;
    }
}
