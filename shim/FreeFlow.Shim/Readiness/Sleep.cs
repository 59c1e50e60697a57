using System.Threading;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// The sleeping system calls, by way of native/sleep.c where the caller has been spinning: a handler that ran meanwhile interrupts the call as it would have
/// interrupted the kernel's (signal(7)).
/// </summary>
internal static unsafe class Sleep
{
    public const ulong Forever = ulong.MaxValue;

    private static bool _withoutNanoseconds;

    /// <summary>ppoll(2); the count, or a negative errno. <paramref name="mask"/> null means the thread's own.</summary>
    public static int Poll(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask, uint signalsSeen)
    {
        TimeSpec time = Time(nanoseconds);
        SleepRequest request = new()
        {
            Epoll = -1, SignalsSeen = signalsSeen, Events = descriptors, Count = count,
            Timeout = nanoseconds == Forever ? null : &time, Mask = mask, Milliseconds = SleepRequest.UseTimeout,
        };
        return Process.Sleep(&request);
    }

    /// <summary>ppoll(2) as it is, for a caller that has not been spinning.</summary>
    public static int PollNow(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask)
    {
        TimeSpec time = Time(nanoseconds);
        return (int)Process.FromLibc(Process.Libc->ppoll(descriptors, count, nanoseconds == Forever ? null : &time, mask));
    }

    /// <summary>epoll_pwait2(2) likewise.</summary>
    public static int Epoll(int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask, uint signalsSeen)
    {
        TimeSpec time = Time(nanoseconds);
        bool precise = NeedsNanoseconds(nanoseconds);
        SleepRequest request = new()
        {
            Epoll = epoll, SignalsSeen = signalsSeen, Events = events, Count = (ulong)capacity,
            Timeout = &time, Mask = mask, Milliseconds = precise ? SleepRequest.UseTimeout : Milliseconds(nanoseconds),
        };
        int result = Process.Sleep(&request);
        if (!precise || !LacksNanoseconds(result)) return result;
        request.Milliseconds = Milliseconds(nanoseconds);
        return Process.Sleep(&request);
    }

    /// <summary>The kernel's epoll wait with a timeout in nanoseconds, rounded up to milliseconds where the C library lacks epoll_pwait2.</summary>
    public static int EpollNow(int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask)
    {
        if (NeedsNanoseconds(nanoseconds))
        {
            TimeSpec time = Time(nanoseconds);
            int result = (int)Process.FromLibc(Process.Libc->epoll_pwait2(epoll, events, capacity, &time, mask));
            if (!LacksNanoseconds(result)) return result;
        }
        return (int)Process.FromLibc(Process.Libc->epoll_pwait(epoll, events, capacity, Milliseconds(nanoseconds), mask));
    }

    private static bool NeedsNanoseconds(ulong nanoseconds) =>
        nanoseconds % 1_000_000 != 0 && nanoseconds != Forever && !_withoutNanoseconds;

    /// <summary>Linux before 5.11, or a seccomp profile that does not know the call: not asked again.</summary>
    private static bool LacksNanoseconds(int result)
    {
        if (result is not (-Linux.ENOSYS or -Linux.EPERM)) return false;
        _withoutNanoseconds = true;
        return true;
    }

    private static int Milliseconds(ulong nanoseconds)
    {
        ulong milliseconds = (nanoseconds / 1_000_000) + (nanoseconds % 1_000_000 == 0 ? 0UL : 1UL);
        return nanoseconds == Forever ? -1 : milliseconds > int.MaxValue ? int.MaxValue : (int)milliseconds;
    }

    /// <summary>What is left until a deadline on CLOCK_MONOTONIC.</summary>
    public static ulong Left(ulong deadline)
    {
        if (deadline == Forever) return Forever;
        ulong now = Process.Now();
        return deadline > now ? deadline - now : 0;
    }

    /// <summary>The deadline a relative time means now.</summary>
    public static ulong Deadline(ulong nanoseconds)
    {
        if (nanoseconds == Forever) return Forever;
        ulong now = Process.Now();
        return nanoseconds > Forever - 1 - now ? Forever : now + nanoseconds;
    }

    /// <summary>A timespec in nanoseconds; null means for ever.</summary>
    public static ulong FromTimeSpec(TimeSpec* time)
    {
        if (time == null) return Forever;
        return (ulong)time->Seconds > 1_000_000_000 ? Forever : ((ulong)time->Seconds * 1_000_000_000) + (ulong)time->Nanoseconds;
    }

    private static TimeSpec Time(ulong nanoseconds) =>
        new() { Seconds = (long)(nanoseconds / 1_000_000_000), Nanoseconds = (long)(nanoseconds % 1_000_000_000) };
}
