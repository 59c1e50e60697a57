using System.Threading;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>
/// Descriptors of the shim's own: kept at high numbers, out of the way of programs that count on the lowest free one or use select(2), closed on
/// exec, and flagged so that the application cannot close them by accident.
/// </summary>
internal static unsafe class OwnDescriptors
{
    /// <summary>The shim uses at most this share of RLIMIT_NOFILE.</summary>
    private const ulong Share = 8;

    /// <summary>From this share on connections with the same peer process share a doorbell.</summary>
    private const ulong ScarceShare = 32;

    private static int _count;

    /// <summary>True if <paramref name="more"/> further descriptors stay within the share.</summary>
    public static bool HaveRoomFor(int more) => (ulong)(Volatile.Read(ref _count) + more) <= Limit() / Share;

    /// <summary>True once a doorbell for each connection would soon take too many.</summary>
    public static bool AreScarce => (ulong)Volatile.Read(ref _count) > Limit() / ScarceShare;

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
        ulong limit = Limit();
        int floor = (int)(limit - (limit / Share) > 4096 ? 4096 : limit - (limit / Share));
        int high = Process.Libc->fcntl(fd, Linux.F_DUPFD_CLOEXEC, (void*)floor);
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

    private static ulong Limit()
    {
        RLimit limit;
        if (Process.Libc->getrlimit(Linux.RLIMIT_NOFILE, &limit) != 0) return 1024;
        return limit.Soft > DescriptorFlags.Capacity ? DescriptorFlags.Capacity : limit.Soft;
    }
}
