using System.Threading;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>Wakes a peer that sleeps: only if it has said so, and once.</summary>
internal static unsafe class Doorbells
{
    /// <summary>Behind what was published for whoever may wait at <paramref name="waiting"/>.</summary>
    public static void RingIfAwaited(int doorbell, uint* waiting)
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref *waiting) != 0) Ring(doorbell, waiting);
    }

    private static void Ring(int doorbell, uint* waiting)
    {
        if (Interlocked.Exchange(ref *waiting, 0) == 0) return;
        byte one = 1;
        int errno = Process.Errno;
        Process.Libc->send(doorbell, &one, 1, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL);
        Process.Errno = errno;
    }
}
