using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Exports;

/// <summary>poll(2), select(2), epoll(7).</summary>
internal static unsafe class ReadinessCalls
{
    [Interpose("int poll(void* descriptors, unsigned long count, int timeout)", Guard = "*ff_tracked_connections", Aliases = "__poll", Checked = "__poll_chk(descriptors, count, timeout, limit) count * 8")]
    public static int Poll(PollDescriptor* descriptors, nuint count, int timeout)
    {
        if (descriptors == null || count > int.MaxValue) return Process.Libc->poll(descriptors, count, timeout);
        return (int)Process.Result(Poller.Poll(descriptors, count, timeout < 0 ? Sleep.Forever : (ulong)timeout * 1_000_000, null));
    }

    [Interpose("int ppoll(void* descriptors, unsigned long count, const void* timeout, const void* mask)", Guard = "*ff_tracked_connections", Checked = "__ppoll_chk(descriptors, count, timeout, mask, limit) count * 8")]
    public static int PPoll(PollDescriptor* descriptors, nuint count, TimeSpec* timeout, ulong* mask)
    {
        if (descriptors == null || count > int.MaxValue || !IsValid(timeout)) return Process.Libc->ppoll(descriptors, count, timeout, mask);
        return (int)Process.Result(Poller.Poll(descriptors, count, Sleep.FromTimeSpec(timeout), mask));
    }

    [Interpose("int select(int limit, void* readable, void* writable, void* exceptional, void* timeout)", Guard = "*ff_tracked_connections", Aliases = "__select")]
    public static int Select(int limit, ulong* read, ulong* write, ulong* except, TimeValue* timeout)
    {
        if (timeout != null && (timeout->Seconds < 0 || timeout->Microseconds < 0)) return Process.Libc->select(limit, read, write, except, timeout);
        ulong nanoseconds = timeout == null ? Sleep.Forever
            : timeout->Seconds > 1_000_000_000 ? Sleep.Forever : ((ulong)timeout->Seconds * 1_000_000_000) + ((ulong)timeout->Microseconds * 1000);
        ulong deadline = Sleep.Deadline(nanoseconds);
        int result = Selector.Select(limit, read, write, except, nanoseconds, null);
        if (timeout != null)
        {
            // select(2): Linux leaves the remaining time behind.
            ulong left = Sleep.Left(deadline);
            if (left != Sleep.Forever) *timeout = new TimeValue { Seconds = (long)(left / 1_000_000_000), Microseconds = (long)(left % 1_000_000_000 / 1000) };
        }
        return (int)Process.Result(result);
    }

    [Interpose("int pselect(int limit, void* readable, void* writable, void* exceptional, const void* timeout, const void* mask)", Guard = "*ff_tracked_connections")]
    public static int PSelect(int limit, ulong* read, ulong* write, ulong* except, TimeSpec* timeout, ulong* mask)
    {
        if (!IsValid(timeout)) return Process.Libc->pselect(limit, read, write, except, timeout, mask);
        return (int)Process.Result(Selector.Select(limit, read, write, except, Sleep.FromTimeSpec(timeout), mask));
    }

    [Interpose("int epoll_create(int size)", Opens = true, Guard = "1")]
    public static int EpollCreate(int size) => Created(Process.Libc->epoll_create(size));

    [Interpose("int epoll_create1(int flags)", Opens = true, Guard = "1")]
    public static int EpollCreate1(int flags) => Created(Process.Libc->epoll_create1(flags));

    [Interpose("int epoll_ctl(int epoll, int operation, int fd, void* event)", Guard = "FF_FLAGS(fd) & (FF_CONNECTION | FF_CANDIDATE | FF_EPOLL)")]
    public static int EpollCtl(int epoll, int operation, int fd, EpollEvent* wanted) => EpollControl.Control(epoll, operation, fd, wanted);

    [Interpose("int epoll_wait(int epoll, void* events, int capacity, int timeout)", Guard = "FF_FLAGS(epoll) & FF_EPOLL")]
    public static int EpollWait(int epoll, EpollEvent* events, int capacity, int timeout) =>
        EpollWaiter.Wait(epoll, events, capacity, timeout < 0 ? Sleep.Forever : (ulong)timeout * 1_000_000, null);

    [Interpose("int epoll_pwait(int epoll, void* events, int capacity, int timeout, const void* mask)", Guard = "FF_FLAGS(epoll) & FF_EPOLL")]
    public static int EpollPWait(int epoll, EpollEvent* events, int capacity, int timeout, ulong* mask) =>
        EpollWaiter.Wait(epoll, events, capacity, timeout < 0 ? Sleep.Forever : (ulong)timeout * 1_000_000, mask);

    [Interpose("int epoll_pwait2(int epoll, void* events, int capacity, const void* timeout, const void* mask)", Guard = "FF_FLAGS(epoll) & FF_EPOLL")]
    public static int EpollPWait2(int epoll, EpollEvent* events, int capacity, TimeSpec* timeout, ulong* mask)
    {
        if (!IsValid(timeout)) return Process.Libc->epoll_pwait2(epoll, events, capacity, timeout, mask);
        return EpollWaiter.Wait(epoll, events, capacity, Sleep.FromTimeSpec(timeout), mask);
    }

    private static int Created(int epoll)
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

    private static bool IsValid(TimeSpec* time) => time == null || (time->Seconds >= 0 && (ulong)time->Nanoseconds < 1_000_000_000);
}
