using System.Runtime.CompilerServices;

namespace FreeFlow.Shim.Native;

/// <summary>What the C glue handed over at load, and the small helpers that everything needs. Set once, before any other thread can enter.</summary>
internal static unsafe class Process
{
    /// <summary>The real functions.</summary>
    public static LibC* Libc;

    /// <summary>One byte per descriptor, tested by the trampolines; see <see cref="DescriptorFlags"/>.</summary>
    public static byte* Flags;

    /// <summary>Number of connections of this process that have a ring; trampolines of poll and select test it.</summary>
    public static int* TrackedConnections;

    /// <summary>The calling thread's state.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<ThreadRecord*> CurrentThread;

    /// <summary>
    /// Copies between a ring and the application's memory: 0, or 1 if a byte could not be touched, which the caller answers with EFAULT. Target, source, bytes.
    /// </summary>
    public static delegate* unmanaged[SuppressGCTransition]<void*, void*, nuint, int> Copy;

    /// <summary>Likewise, only what poll(2) writes of each entry. Target, source, entries.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<PollDescriptor*, PollDescriptor*, nuint, int> CopyReturned;

    /// <summary>Runs the signal handler that waited for this thread to leave its critical section.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<void> DeliverDeferred;

    /// <summary>In a forked child: forgets it.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<void> DropDeferred;

    /// <summary>ppoll(2) or epoll_pwait2(2), see native/sleep.c; the kernel's answer or a negative errno.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<SleepRequest*, int> Sleep;

    /// <summary>The processor's clock, in its own unit.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<ulong> Ticks;

    /// <summary>A system call made directly, seen by nobody: number and six arguments; the kernel's answer, a negative errno in case of error.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<nint, nint, nint, nint, nint, nint, nint, nint> Kernel;

    /// <summary>This process; a vfork child, which shares all memory, has another getpid().</summary>
    public static int Id;

    public static int Errno
    {
        get => *Libc->__errno_location();
        set => *Libc->__errno_location() = value;
    }

    /// <summary>Sets errno and returns −1, or returns the value when it is not negative: the libc convention from the kernel's.</summary>
    public static nint Result(nint valueOrNegativeErrno)
    {
        if (valueOrNegativeErrno >= 0) return valueOrNegativeErrno;
        Errno = (int)-valueOrNegativeErrno;
        return -1;
    }

    /// <summary>The value, or the negative errno after a libc call that returned −1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint FromLibc(nint result) => result >= 0 ? result : -Errno;

    /// <summary>The calling thread with its id known.</summary>
    public static ThreadRecord* Thread()
    {
        ThreadRecord* thread = CurrentThread();
        if (thread->ThreadId == 0) thread->ThreadId = (uint)Libc->gettid();
        return thread;
    }

    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public static ulong Now()
    {
        TimeSpec now;
        Libc->clock_gettime(Linux.CLOCK_MONOTONIC, &now);
        return ((ulong)now.Seconds * 1_000_000_000) + (ulong)now.Nanoseconds;
    }

    /// <summary>Zeroed private memory that costs nothing until it is touched; null if the kernel refuses.</summary>
    public static void* Reserve(nuint bytes)
    {
        void* memory = Libc->mmap(null, bytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS | Linux.MAP_NORESERVE, -1, 0);
        return (nint)memory == -1 ? null : memory;
    }

    /// <summary>True in a vfork child, which must leave its parent's tables alone.</summary>
    public static bool IsBorrowedMemory => Libc->getpid() != Id;
}
