using System;
using FreeFlow.Native;
using FreeFlow.Router.Logging;

namespace FreeFlow.Router;

/// <summary>
/// The router's place among those that want to run (sched(7)). It works for microseconds at a time, and on a busy machine programs wait for its answers. A short slice lets it
/// in as soon as it is woken (Linux 6.12), and takes no more of the processor than it had; a nice value below 0 does so on older kernels.
/// </summary>
internal static unsafe class Priority
{
    public const int Least = 19, Most = -20, Usual = -10;

    private const ulong SliceNanoseconds = 100_000;
    private const int Process = 0; // PRIO_PROCESS: the calling thread, on Linux

    /// <summary>For the calling thread. Threads that it makes do not inherit it: they are not waited for.</summary>
    /// <param name="nice">What the operator has asked for; null: the usual, where that may be had.</param>
    /// <param name="log">Told if what was asked for may not be had; null: nobody.</param>
    public static void Take(int? nice, Log? log)
    {
        int now = Libc.getpriority(Process, 0), wanted = nice ?? Math.Min(now, Usual);
        if (TrySet(wanted)) return;
        string why = Errno.LastText;
        if (wanted != now && nice is not null) log?.PriorityRefused(nice, why, now);
        _ = TrySet(now);
    }

    private static bool TrySet(int nice)
    {
        SchedulingAttributes wanted = new() { Size = (uint)sizeof(SchedulingAttributes), Flags = SchedulingAttributes.ResetOnFork, Nice = nice, Runtime = SliceNanoseconds };
        return Libc.syscall(Libc.SYS_sched_setattr, 0, (nint)(&wanted), 0) == 0;
    }
}
