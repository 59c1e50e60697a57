using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// epoll_wait(2) over rings and kernel descriptors. Hot registrations are looked at in user space; before the thread sleeps their doorbells are armed
/// and all become cold, so that an idle connection costs nothing and a sleeping thread misses nothing.
/// </summary>
internal static unsafe class EpollWaiter
{
    /// <summary>While rings are busy, the kernel is asked at least this often.</summary>
    private const ulong KernelEveryNanoseconds = 30_000;
    private const uint KernelEveryRounds = 16;

    /// <summary>A program with little room asks again for what stands behind doorbells; each is reported once, so this is enough but for a hostile peer.</summary>
    private const int MostAttempts = 256;

    public static int Wait(int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask)
    {
        Session.Look();
        EpollInstance* instance = Tracked(epoll);
        if (instance == null) return (int)Process.Result(Restless(epoll, events, capacity, nanoseconds, mask));
        if (instance->Waited == 0) Registrations.BeginWaiting(instance);
        bool inside = false;
        int result = Wait(instance, epoll, events, capacity, nanoseconds, mask, ref inside);
        if (inside) Registrations.LeaveWait(instance);
        return result;
    }

    /// <param name="instance">The set.</param>
    /// <param name="epoll">Its descriptor.</param>
    /// <param name="events">Where the reports go.</param>
    /// <param name="capacity">How many there is room for.</param>
    /// <param name="nanoseconds">How long.</param>
    /// <param name="mask">Signals; null: the thread's own.</param>
    /// <param name="inside">True once the thread has slept: another one may close the set now, or have closed it.</param>
    private static int Wait(EpollInstance* instance, int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask, ref bool inside)
    {
        ulong deadline = nanoseconds is Sleep.Forever or 0 ? nanoseconds : Sleep.Deadline(nanoseconds);
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        bool spun = false;
        instance->Waits++;
        if (EpollTurns.IsKernels(instance))
        {
            int count = Kernel(instance, epoll, events, 0, capacity, 0, mask);
            if (count > 0) return count;
            instance->Turn = 0;
        }
        while (true)
        {
            int count = Rings(instance, events, capacity, out uint round);
            if (count < 0) return (int)Process.Result(count);
            if (count > 0)
            {
                if (count < capacity && KernelIsDue(instance)) count = Kernel(instance, epoll, events, count, capacity, 0, mask, round: round);
                return count;
            }
            if (nanoseconds == 0)
            {
                // Who watches this set by another one sleeps there: its doorbells must be heard.
                if (instance->Watched != 0) _ = EpollArming.Arm(instance);
                count = Kernel(instance, epoll, events, 0, capacity, 0, mask);
                return (int)Process.Result(count);
            }
            if (EpollArming.IsWorthSpinning(instance))
            {
                // Spinning would keep a signal waiting that the mask lets in.
                if (mask != null && !spun)
                {
                    count = Kernel(instance, epoll, events, 0, capacity, 0, null);
                    if (count == 0 && Sleep.LetsSignalIn(mask)) count = -Linux.EINTR;
                    if (count != 0) return (int)Process.Result(count);
                }
                spun = true;
                count = Spin(instance, epoll, events, capacity, mask, thread, signals);
                if (count != 0) return (int)Process.Result(count);
            }
            ulong left = Sleep.Left(deadline);
            bool outer = instance->Guests != 0;
            if (!inside) Registrations.EnterWait(instance);
            inside = true;
            Interlocked.Increment(ref instance->Sleepers);
            if (outer) Interlocked.Increment(ref Registrations.WholeSleepers);
            bool armed = EpollArming.Arm(instance);
            count = armed ? Kernel(instance, epoll, events, 0, capacity, left, mask, spun ? &signals : null, outer: outer) : 0;
            Interlocked.Decrement(ref instance->Sleepers);
            epoll = Registrations.Reach(instance, epoll);
            if (outer && !armed) Interlocked.Decrement(ref Registrations.WholeSleepers);
            // With the time up, a ring that is ready at every second look only is none.
            if (!armed && left == 0) return (int)Process.Result(Rings(instance, events, capacity, out _));
            if (!armed) continue;
            if (count != 0 || left == 0) return (int)Process.Result(count);
            if (deadline != Sleep.Forever && Sleep.Left(deadline) == 0) return 0;
        }
    }

    /// <summary>A set without rings is the kernel's alone; but a return of another connection goes on meanwhile.</summary>
    private static int Restless(int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask)
    {
        ulong deadline = Sleep.Deadline(nanoseconds), left = nanoseconds;
        while (true)
        {
            ulong limited = left == 0 ? 0 : SendReturn.Limit(left);
            int result = Sleep.EpollNow(epoll, events, capacity, limited, mask);
            if (result != 0 || limited == left) return result;
            left = Sleep.Left(deadline);
        }
    }

    private static EpollInstance* Tracked(int epoll)
    {
        if (!Connections.InRange(epoll)) return null;
        int index = Connections.Descriptors[epoll].Instance;
        return index == 0 ? null : Registrations.Instances + (index - 1);
    }

    /// <summary>One look at the hot registrations; the number of events, or −EFAULT. With <paramref name="last"/> the kernel is asked afterwards only if there is a reason to.</summary>
    private static int Rings(EpollInstance* instance, EpollEvent* events, int capacity, out uint round, bool last = false)
    {
        round = 0;
        if (instance->HotCount == 0 || !ThreadLock.Enter(&instance->Lock)) return 0;
        instance->Round++;
        int count = EpollReport.AddHot(instance, events, 0, capacity, last ? AfterHot.Reason : AfterHot.Kernel);
        if (count > 0) EpollArming.LeaveArmed(instance, 0);
        if (count == capacity) EpollTurns.RingsFilled(instance);
        round = instance->Round;
        ThreadLock.Exit(&instance->Lock);
        return count;
    }

    private static bool KernelIsDue(EpollInstance* instance)
    {
        ulong now = Process.Now();
        Session.Glance(now);
        if (now - instance->KernelAsked < KernelEveryNanoseconds && instance->Round % KernelEveryRounds != 0) return false;
        instance->KernelAsked = now;
        return true;
    }

    private static int Spin(EpollInstance* instance, int epoll, EpollEvent* events, int capacity, ulong* mask, ThreadRecord* thread, uint signals)
    {
        Spinner spinner = new(thread);
        while (spinner.Continue())
        {
            int count = Rings(instance, events, capacity, out uint round, last: true);
            if (count == 0 && spinner.KernelIsDue) count = Kernel(instance, epoll, events, 0, capacity, 0, mask);
            else if (count > 0 && count < capacity && instance->KernelAsked == 0 && KernelIsDue(instance)) count = Kernel(instance, epoll, events, count, capacity, 0, mask, round: round);
            if (count != 0)
            {
                spinner.Adapt();
                return count;
            }
            if (thread->SignalsHandled != signals) break;
        }
        return 0;
    }

    /// <summary>
    /// Asks the kernel, sleeping at most <paramref name="left"/>, and translates; the new count, or a negative errno. When only doorbells rang,
    /// the hot registrations are looked at at once. <paramref name="signals"/> is the thread's count from before it spun, null if it did not;
    /// <paramref name="outer"/>: it is counted among those that sleep until an instance as a whole is ready.
    /// </summary>
    private static int Kernel(EpollInstance* instance, int epoll, EpollEvent* events, int count, int capacity, ulong left, ulong* mask, uint* signals = null, uint round = 0, bool outer = false)
    {
        EpollEvent* fresh = events + count;
        EpollEvent untouched = default;
        bool kept = count == 0 && CallerMemory.TryRead(fresh, &untouched);
        int received;
        if (left != 0)
        {
            Spinner wait = new(Process.Thread());
            Session.Glance();
            ulong limited = Trimmer.Limit(left);
            received = signals == null
                ? Sleep.EpollNow(epoll, fresh, capacity - count, limited, mask)
                : Sleep.Epoll(epoll, fresh, capacity - count, limited, mask, *signals);
            if (received == 0) Trimmer.AfterSleep();
            wait.Adapt();
        }
        else received = Sleep.EpollNow(epoll, fresh, capacity - count, 0, mask);
        if (outer) Interlocked.Decrement(ref Registrations.WholeSleepers);
        // The kernel could not write what may be the shim's own affair.
        if (received == -Linux.EFAULT && instance->Accelerated != 0 && !HasNews(instance, epoll)) received = 0;
        if (received <= 0) return count > 0 ? count : received;
        if (instance->Accelerated == 0 && !AnyTag(fresh, received)) return count + received;
        if (!ThreadLock.Enter(&instance->Lock)) return count > 0 ? count : -Linux.EINTR;
        if (count == 0 || instance->Round != round) instance->Round++;
        instance->KernelAsked = Process.Now();
        int rings = count;
        count = Translate(instance, epoll, events, count, capacity, received, out bool hasMore);
        int kernels = count - rings;
        count = EpollReport.AddHot(instance, events, count, capacity, hasMore ? AfterHot.Nothing : AfterHot.Asked);
        if (hasMore && rings > 0) EpollReport.Complete(instance, events, rings);
        // The end of one stream came before the bytes of another, or behind them.
        if (kernels != 0 && count > kernels) EpollOrder.Sort(instance, events, 0, count);
        if (count > 0 || instance->Watched != 0) EpollArming.LeaveArmed(instance, left != 0 ? 1 : 0);
        ThreadLock.Exit(&instance->Lock);
        if (Volatile.Read(ref Registrations.BodilessDue) != 0) Registrations.RemoveBodiless();
        // Only the shim's own events: the kernel would have written nothing.
        if (count == 0 && kept) _ = CallerMemory.TryWrite(events, untouched);
        return count;
    }

    /// <summary>
    /// Translates what the kernel has written behind the reports that are there. What was the shim's own has taken room from what may be behind it, which is asked for then.
    /// Returns the new count. Caller holds the instance's lock.
    /// </summary>
    /// <param name="instance">The set.</param>
    /// <param name="epoll">Its descriptor.</param>
    /// <param name="events">Where the reports go.</param>
    /// <param name="count">How many are there.</param>
    /// <param name="capacity">How many there is room for.</param>
    /// <param name="received">How many events the kernel has written.</param>
    /// <param name="hasMore">True if the kernel may have more to say than there was room for.</param>
    private static int Translate(EpollInstance* instance, int epoll, EpollEvent* events, int count, int capacity, int received, out bool hasMore)
    {
        for (int attempt = 0; ; attempt++)
        {
            int room = capacity - count;
            EpollTurns.KernelAnswered(instance, events + count, received, room);
            count = EpollTranslation.Add(instance, events, count, events + count, received, out bool inside);
            if (inside)
            {
                // It has taken a place itself, so there is one left.
                int own = Process.Libc->epoll_pwait(instance->Private, events + count, capacity - count, 0, null);
                count = EpollTranslation.Add(instance, events, count, events + count, own, out _);
            }
            hasMore = received == room;
            if (!hasMore || count == capacity || attempt == MostAttempts) return count;
            received = Process.Libc->epoll_pwait(epoll, events + count, capacity - count, 0, null);
            if (received > 0) continue;
            hasMore = false;
            return count;
        }
    }

    /// <summary>True if something of what the kernel has is the program's to hear, which is kept for a wait that can write it down.</summary>
    private static bool HasNews(EpollInstance* instance, int epoll)
    {
        const int most = 16;
        EpollEvent* events = stackalloc EpollEvent[most];
        int received = Sleep.EpollNow(epoll, events, most, 0, null);
        if (received <= 0 || !ThreadLock.Enter(&instance->Lock)) return received > 0;
        bool news = instance->Private != 0;
        for (int i = 0; i < received; i++) news |= !EpollTag.IsTag(events[i].Data) || EpollTranslation.Peek(instance, events[i]);
        for (int i = 0; i < instance->HotCount; i++) news |= EpollReport.Ready(Registrations.Entries + instance->Hot[i], out _) != 0;
        ThreadLock.Exit(&instance->Lock);
        return news;
    }

    private static bool AnyTag(EpollEvent* events, int count)
    {
        for (int i = 0; i < count; i++) if (EpollTag.IsTag(events[i].Data)) return true;
        return false;
    }
}
