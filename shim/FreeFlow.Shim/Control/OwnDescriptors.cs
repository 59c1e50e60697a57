using System.Threading;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>
/// Descriptors of the shim's own, closed on exec, and flagged so that the application cannot close them by accident. They get numbers beyond the application's
/// RLIMIT_NOFILE where the hard limit lets them, so that it can open as many files as without the shim; otherwise high numbers within it, and few.
/// </summary>
internal static unsafe class OwnDescriptors
{
    /// <summary>Within the application's limit the shim uses at most this share, and nothing when the application itself has come near it.</summary>
    private const ulong Share = 8;
    private const ulong Near = 64;

    /// <summary>From this share on connections with the same peer process share a doorbell.</summary>
    private const ulong ScarceShare = 32;

    /// <summary>How far a process that may raise its hard limit raises it for a moment.</summary>
    private const ulong Raise = 65536;

    private const int HighEnough = 4096;

    private static int _count;
    private static bool _raisesHard;
    private static uint _lock;

    /// <summary>True if <paramref name="more"/> further descriptors may be had.</summary>
    public static bool HaveRoomFor(int more)
    {
        RLimit limit = Limit();
        return (ulong)(Volatile.Read(ref _count) + more) <= (IsBeyond(limit) ? Room(limit) : Room(limit) / Share);
    }

    /// <summary>True once a doorbell for each connection would soon take too many.</summary>
    public static bool AreScarce => (ulong)Volatile.Read(ref _count) > Room(Limit()) / ScarceShare;

    private static bool IsBeyond(RLimit limit) => limit.Hard > limit.Soft || _raisesHard;

    /// <summary>How many numbers there are: beyond the application's, or with it.</summary>
    private static ulong Room(RLimit limit)
    {
        if (!IsBeyond(limit)) return limit.Soft < DescriptorFlags.Capacity ? limit.Soft : DescriptorFlags.Capacity;
        ulong beyond = limit.Hard > limit.Soft ? limit.Hard - limit.Soft : Raise;
        return beyond < Raise ? beyond : Raise;
    }

    /// <summary>Moves a fresh descriptor up and flags it; returns the new number, or −1 after closing it. −1 is passed through.</summary>
    public static int Adopt(int fd)
    {
        if (fd < 0) return -1;
        int high = Duplicate(fd);
        Process.Libc->close(fd);
        return high;
    }

    /// <summary>A second, hidden number for an open file; −1 if there is none left.</summary>
    public static int Duplicate(int fd)
    {
        RLimit limit = Limit();
        int high = Beyond(fd, limit);
        if (high < 0 && (ulong)fd + Near < limit.Soft)
        {
            ulong floor = limit.Soft - (limit.Soft / Share);
            high = Process.Libc->fcntl(fd, Linux.F_DUPFD_CLOEXEC, (void*)(floor > HighEnough ? HighEnough : floor));
        }
        if (high < 0) return -1;
        if (high >= DescriptorFlags.Capacity) { Process.Libc->close(high); return -1; }
        Process.Flags[high] = DescriptorFlags.Internal;
        Interlocked.Increment(ref _count);
        return high;
    }

    /// <summary>Closes one of the shim's own descriptors.</summary>
    public static void Close(int fd)
    {
        if (fd < 0) return;
        Process.Flags[fd] = 0;
        Process.Libc->close(fd);
        Interlocked.Decrement(ref _count);
    }

    /// <summary>
    /// The limit counts when a number is given out, not afterwards (getrlimit(2)): raised for a moment, it leaves all of the application's numbers to it.
    /// </summary>
    private static int Beyond(int fd, RLimit limit)
    {
        if (limit.Soft >= DescriptorFlags.Capacity) return -1;
        uint* word = (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);
        if (!ThreadLock.Enter(word)) return -1;
        RLimit now, high = limit;
        if (limit.Hard > limit.Soft) high.Soft = limit.Hard > DescriptorFlags.Capacity ? DescriptorFlags.Capacity : limit.Hard;
        else high.Soft = high.Hard = limit.Soft + Raise;
        int errno = Process.Errno, number = -1;
        if (Process.Libc->setrlimit(Linux.RLIMIT_NOFILE, &high) == 0)
        {
            if (limit.Hard <= limit.Soft) _raisesHard = true;
            number = Process.Libc->fcntl(fd, Linux.F_DUPFD_CLOEXEC, (void*)limit.Soft);
            // Unless the application has set another one meanwhile.
            if (Process.Libc->getrlimit(Linux.RLIMIT_NOFILE, &now) == 0 && now.Soft == high.Soft && now.Hard == high.Hard) Process.Libc->setrlimit(Linux.RLIMIT_NOFILE, &limit);
        }
        Process.Errno = errno;
        ThreadLock.Exit(word);
        return number;
    }

    /// <summary>After fork, in the child: no other thread exists here.</summary>
    public static void ResetLockAfterFork() => _lock = 0;

    private static RLimit Limit()
    {
        RLimit limit;
        if (Process.Libc->getrlimit(Linux.RLIMIT_NOFILE, &limit) != 0) limit = new RLimit { Soft = 1024, Hard = 1024 };
        return limit;
    }
}
