using System.Threading;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;
using FreeFlow.Shim.Uring;

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
        LookForUnseenRings();
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
        LookForUnseenRings();
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

    /// <summary>Who is about to sleep has the time to see whether the program submits to an io_uring out of sight.</summary>
    private static void LookForUnseenRings()
    {
        if (SubmissionQueues.Used != 0 && !Offering.AnotherRoad && SubmissionQueues.WereEnteredUnseen()) RoadCalls.AllByAnotherRoad();
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

    /// <summary>As <see cref="Deadline"/> for a time that is limited, however long it is: never <see cref="Forever"/>.</summary>
    public static ulong LimitedDeadline(ulong nanoseconds) => Deadline(nanoseconds) is var deadline && deadline == Forever ? Forever - 1 : deadline;

    /// <summary>A timespec in nanoseconds; null means for ever.</summary>
    public static ulong FromTimeSpec(TimeSpec* time) => time == null ? Forever : FromTimeSpec(*time);

    /// <summary>A time of at least zero; what is longer than the clock will ever run is <see cref="Forever"/>.</summary>
    public static ulong FromTimeSpec(TimeSpec time)
    {
        const long most = 1_000_000_000;
        return time.Seconds > most || time.Nanoseconds > most * most ? Forever : ((ulong)time.Seconds * 1_000_000_000) + (ulong)time.Nanoseconds;
    }

    /// <summary>What is left of a time that began to run at <paramref name="start"/>, as the kernel reports it: its end is the last second that there is, at most.</summary>
    public static TimeSpec Remaining(TimeSpec time, ulong start)
    {
        const long second = 1_000_000_000;
        ulong elapsed = Process.Now() - start;
        if (time.Seconds > long.MaxValue - 1 - (long)(start / (ulong)second)) time = new TimeSpec { Seconds = long.MaxValue - (long)(start / (ulong)second), Nanoseconds = -(long)(start % (ulong)second) };
        time.Seconds -= (long)(elapsed / (ulong)second);
        time.Nanoseconds -= (long)(elapsed % (ulong)second);
        for (; time.Nanoseconds < 0; time.Nanoseconds += second) time.Seconds--;
        return time.Seconds < 0 ? default : time;
    }

    /// <summary>True, after its handler has run, if a signal was waiting that <paramref name="mask"/> lets in.</summary>
    public static bool LetsSignalIn(ulong* mask)
    {
        TimeSpec none = default;
        int errno = Process.Errno;
        bool interrupted = Process.Libc->ppoll(null, 0, &none, mask) < 0 && Process.Errno == Linux.EINTR;
        Process.Errno = errno;
        return interrupted;
    }

    /// <summary>False for what the kernel refuses with EINVAL.</summary>
    public static bool IsValid(TimeSpec* time) => time->Seconds >= 0 && (ulong)time->Nanoseconds < 1_000_000_000;

    private static TimeSpec Time(ulong nanoseconds) =>
        new() { Seconds = (long)(nanoseconds / 1_000_000_000), Nanoseconds = (long)(nanoseconds % 1_000_000_000) };
}
