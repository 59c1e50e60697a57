using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Exports;

/// <summary>poll(2), select(2), epoll(7).</summary>
internal static unsafe class ReadinessCalls
{
    [Interpose("int poll(void* descriptors, unsigned long count, int timeout)", Guard = "*ff_tracked_connections", Aliases = "__poll", Checked = "__poll_chk(descriptors, count, timeout, limit) count * 8")]
    public static int Poll(PollDescriptor* descriptors, nuint count, int timeout) =>
        (int)Process.Result(Polled.Poll(descriptors, count, timeout < 0 ? Sleep.Forever : (ulong)timeout * 1_000_000, null));

    [Interpose("int ppoll(void* descriptors, unsigned long count, const void* timeout, const void* mask)", Guard = "*ff_tracked_connections", Checked = "__ppoll_chk(descriptors, count, timeout, mask, limit) count * 8", Number = "ppoll ff_ppoll_by_number")]
    public static int PPoll(PollDescriptor* descriptors, nuint count, TimeSpec* timeout, ulong* mask)
    {
        TimeSpec time;
        ulong signals;
        // libc's own function reads the time, and faults, as it would without the shim.
        if (timeout != null && (!CallerMemory.TryRead(timeout, &time) || !Sleep.IsValid(&time))) return Process.Libc->ppoll(descriptors, count, timeout, mask);
        if (mask != null && !CallerMemory.TryRead(mask, &signals)) return (int)Process.Result(-Linux.EFAULT);
        return (int)Process.Result(Polled.Poll(descriptors, count, Sleep.FromTimeSpec(timeout == null ? null : &time), mask == null ? null : &signals));
    }

    [Interpose("int select(int limit, void* readable, void* writable, void* exceptional, void* timeout)", Guard = "*ff_tracked_connections", Aliases = "__select", Number = "select ff_select_by_number")]
    public static int Select(int limit, ulong* read, ulong* write, ulong* except, TimeValue* timeout)
    {
        if (timeout == null) return (int)Process.Result(Selector.Select(limit, read, write, except, Sleep.Forever, null));
        TimeValue given;
        // The C library reads and writes the time without asking, looks at the lower half of the microseconds, refuses negative ones, and carries what is more than a second.
        if (!CallerMemory.TryRead(timeout, &given)) return Process.Libc->select(limit, read, write, except, timeout);
        int microseconds = (int)given.Microseconds;
        if (given.Seconds < 0 || microseconds < 0) return Process.Libc->select(limit, read, write, except, timeout);
        int carried = microseconds / 1_000_000;
        TimeSpec time = given.Seconds > long.MaxValue - carried ? new TimeSpec { Seconds = long.MaxValue, Nanoseconds = 999_999_999 }
            : new TimeSpec { Seconds = given.Seconds + carried, Nanoseconds = microseconds % 1_000_000 * 1000L };
        ulong start = Process.Now();
        int result = Selector.Select(limit, read, write, except, Sleep.FromTimeSpec(time), null);
        // select(2): Linux leaves the remaining time behind.
        TimeSpec left = Sleep.Remaining(time, start);
        *timeout = new TimeValue { Seconds = left.Seconds, Microseconds = left.Nanoseconds / 1000 };
        return (int)Process.Result(result);
    }

    [Interpose("int pselect(int limit, void* readable, void* writable, void* exceptional, const void* timeout, const void* mask)", Guard = "*ff_tracked_connections", Number = "pselect6 ff_pselect6_by_number")]
    public static int PSelect(int limit, ulong* read, ulong* write, ulong* except, TimeSpec* timeout, ulong* mask)
    {
        TimeSpec time;
        ulong signals;
        if (timeout != null && (!CallerMemory.TryRead(timeout, &time) || !Sleep.IsValid(&time))) return Process.Libc->pselect(limit, read, write, except, timeout, mask);
        if (mask != null && !CallerMemory.TryRead(mask, &signals)) return (int)Process.Result(-Linux.EFAULT);
        return (int)Process.Result(Selector.Select(limit, read, write, except, Sleep.FromTimeSpec(timeout == null ? null : &time), mask == null ? null : &signals));
    }

    [Interpose("int epoll_create(int size)", Guard = "1")]
    public static int EpollCreate(int size) => Created(Process.Libc->epoll_create(size));

    [Interpose("int epoll_create1(int flags)", Guard = "1")]
    public static int EpollCreate1(int flags) => Created(Process.Libc->epoll_create1(flags));

    [Interpose("int epoll_ctl(int epoll, int operation, int fd, void* event)", Guard = "FF_FLAGS(fd) & (FF_CONNECTION | FF_CANDIDATE | FF_EPOLL)")]
    public static int EpollCtl(int epoll, int operation, int fd, EpollEvent* wanted)
    {
        EpollEvent copy = default;
        if (operation != Linux.EPOLL_CTL_DEL && !CallerMemory.TryRead(wanted, &copy)) return (int)Process.Result(-Linux.EFAULT);
        return EpollControl.Control(epoll, operation, fd, &copy);
    }

    [Interpose("int epoll_wait(int epoll, void* events, int capacity, int timeout)", Guard = "FF_FLAGS(epoll) & FF_EPOLL")]
    public static int EpollWait(int epoll, EpollEvent* events, int capacity, int timeout) =>
        Wait(epoll, events, capacity, timeout < 0 ? Sleep.Forever : (ulong)timeout * 1_000_000, null);

    [Interpose("int epoll_pwait(int epoll, void* events, int capacity, int timeout, const void* mask)", Guard = "FF_FLAGS(epoll) & FF_EPOLL", Number = "epoll_pwait ff_epoll_pwait_by_number")]
    public static int EpollPWait(int epoll, EpollEvent* events, int capacity, int timeout, ulong* mask) =>
        Wait(epoll, events, capacity, timeout < 0 ? Sleep.Forever : (ulong)timeout * 1_000_000, mask);

    [Interpose("int epoll_pwait2(int epoll, void* events, int capacity, const void* timeout, const void* mask)", Guard = "FF_FLAGS(epoll) & FF_EPOLL", Number = "epoll_pwait2 ff_epoll_pwait2_by_number")]
    public static int EpollPWait2(int epoll, EpollEvent* events, int capacity, TimeSpec* timeout, ulong* mask)
    {
        TimeSpec time;
        if (timeout != null && (!CallerMemory.TryRead(timeout, &time) || !Sleep.IsValid(&time))) return Process.Libc->epoll_pwait2(epoll, events, capacity, timeout, mask);
        return Wait(epoll, events, capacity, Sleep.FromTimeSpec(timeout == null ? null : &time), mask);
    }

    /// <summary>The places of the events need not be there until there is something to report.</summary>
    private static int Wait(int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask)
    {
        const int mostEvents = int.MaxValue / 12;   // EP_MAX_EVENTS
        ulong signals;
        if (mask != null && !CallerMemory.TryRead(mask, &signals)) return (int)Process.Result(-Linux.EFAULT);
        if (capacity is <= 0 or > mostEvents) return (int)Process.Result(-Linux.EINVAL);
        if (!CallerMemory.IsInRange(events, (nuint)capacity * (nuint)sizeof(EpollEvent))) return (int)Process.Result(-Linux.EFAULT);
        return EpollWaiter.Wait(epoll, events, capacity, nanoseconds, mask == null ? null : &signals);
    }

    internal static int Created(int epoll)
    {
        if (!Sockets.Connections.InRange(epoll)) return epoll;
        int errno = Process.Errno;
        bool locked = ThreadLock.Enter(Sockets.Connections.LockWord());
        Process.Flags[epoll] = DescriptorFlags.Epoll;
        Sockets.Connections.Descriptors[epoll] = default;
        _ = Registrations.Instance(epoll);
        if (locked) ThreadLock.Exit(Sockets.Connections.LockWord());
        Process.Errno = errno;
        return epoll;
    }
}
