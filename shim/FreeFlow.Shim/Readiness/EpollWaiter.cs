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

    public static int Wait(int epoll, EpollEvent* events, int capacity, ulong nanoseconds, ulong* mask)
    {
        Session.Look();
        EpollInstance* instance = Tracked(epoll);
        if (instance == null || capacity <= 0 || events == null) return (int)Process.Result(Restless(epoll, events, capacity, nanoseconds, mask));
        ulong deadline = nanoseconds is Sleep.Forever or 0 ? nanoseconds : Sleep.Deadline(nanoseconds);
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        bool spun = false;
        instance->Waits++;
        while (true)
        {
            int count = Rings(instance, events, capacity, out uint round);
            if (count > 0)
            {
                if (count < capacity && KernelIsDue(instance)) count = Kernel(instance, epoll, events, count, capacity, 0, mask, round: round);
                return count;
            }
            if (nanoseconds == 0)
            {
                // Who watches this set by another one sleeps there: its doorbells must be heard.
                if (instance->Nested != 0) _ = Arm(instance);
                count = Kernel(instance, epoll, events, 0, capacity, 0, mask);
                return (int)Process.Result(count);
            }
            if (instance->HotCount > 0)
            {
                spun = true;
                count = Spin(instance, epoll, events, capacity, mask, thread, signals);
                if (count != 0) return (int)Process.Result(count);
            }
            ulong left = Sleep.Left(deadline);
            Interlocked.Increment(ref instance->Sleepers);
            bool armed = Arm(instance);
            count = armed ? Kernel(instance, epoll, events, 0, capacity, left, mask, spun ? &signals : null) : 0;
            Interlocked.Decrement(ref instance->Sleepers);
            // With the time up, a ring that is ready at every second look only is none.
            if (!armed && left == 0) return Rings(instance, events, capacity, out _);
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

    /// <summary>True for an epoll descriptor whose set has rings in it: poll(2) on it must look at them.</summary>
    public static bool HasRings(int epoll)
    {
        EpollInstance* instance = (uint)epoll < DescriptorFlags.Capacity && (Process.Flags[epoll] & DescriptorFlags.Epoll) != 0 ? Tracked(epoll) : null;
        return instance != null && instance->Accelerated != 0;
    }

    /// <summary>True if a wait on the set would report a ring at once; takes no report away.</summary>
    public static bool IsReady(int epoll)
    {
        if (!HasRings(epoll)) return false;
        EpollInstance* instance = Tracked(epoll);
        if (!ThreadLock.Enter(&instance->Lock)) return false;
        bool ready = AnyReady(instance, all: true);
        ThreadLock.Exit(&instance->Lock);
        return ready;
    }

    /// <summary>Before a sleep on the epoll descriptor itself: every doorbell is armed, so that the kernel hears what the rings say.</summary>
    public static void ArmFor(int epoll)
    {
        if (HasRings(epoll)) _ = Arm(Tracked(epoll));
    }

    private static bool AnyReady(EpollInstance* instance, bool all)
    {
        for (int i = 0; i < instance->HotCount; i++)
        {
            Registration* entry = Registrations.Entries + instance->Hot[i];
            if ((all || entry->ReportedRound != instance->Round) && EpollReport.Ready(entry, out _) != 0) return true;
        }
        return false;
    }

    /// <summary>
    /// This thread is about to leave with reports while others sleep on the instance: what comes next must wake one of them. Caller holds the lock.
    /// </summary>
    private static void LeaveArmed(EpollInstance* instance, int own)
    {
        if (Volatile.Read(ref instance->Sleepers) <= own) return;
        ArmHot(instance);
        if (AnyReady(instance, all: false)) Registrations.NudgeSleepers(instance);
    }

    private static EpollInstance* Tracked(int epoll)
    {
        if (!Connections.InRange(epoll)) return null;
        int index = Connections.Descriptors[epoll].Instance;
        return index == 0 ? null : Registrations.Instances + (index - 1);
    }

    /// <summary>One look at the hot registrations.</summary>
    private static int Rings(EpollInstance* instance, EpollEvent* events, int capacity, out uint round)
    {
        round = 0;
        if (instance->HotCount == 0 || !ThreadLock.Enter(&instance->Lock)) return 0;
        instance->Round++;
        int count = EpollReport.AddHot(instance, events, 0, capacity);
        if (count > 0) LeaveArmed(instance, 0);
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
            int count = Rings(instance, events, capacity, out _);
            if (count == 0 && spinner.KernelIsDue) count = Kernel(instance, epoll, events, 0, capacity, 0, mask);
            if (count != 0)
            {
                spinner.Adapt();
                return count;
            }
            if (thread->SignalsHandled != signals) break;
        }
        return 0;
    }

    /// <summary>Arms every hot registration; false if one turned out ready on the second look, and all stay hot.</summary>
    private static bool Arm(EpollInstance* instance)
    {
        if (instance->HotCount == 0) return true;
        if (!ThreadLock.Enter(&instance->Lock)) return true;
        ArmHot(instance);
        bool quiet = !AnyReady(instance, all: true);
        while (quiet && instance->HotCount > 0) Registrations.Cool(instance, Registrations.Entries + instance->Hot[instance->HotCount - 1]);
        ThreadLock.Exit(&instance->Lock);
        return quiet;
    }

    private static void ArmHot(EpollInstance* instance)
    {
        for (int i = 0; i < instance->HotCount; i++) ArmOne(Registrations.Entries + instance->Hot[i]);
    }

    private static void ArmOne(Registration* entry)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0) Doorbell.ArmReader(Block.Incoming(record));
        if ((entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0 && !RingReadiness.HasRoom(record, outgoing)) Doorbell.ArmWriter(outgoing);
    }

    /// <summary>Arms one hot registration; cold from now on, and true, unless it turned out ready on the second look. Caller holds the lock.</summary>
    public static bool TryCool(EpollInstance* instance, Registration* entry)
    {
        ArmOne(entry);
        if (EpollReport.Ready(entry, out _) != 0) return false;
        Registrations.Cool(instance, entry);
        return true;
    }

    /// <summary>
    /// Asks the kernel, sleeping at most <paramref name="left"/>, and translates; the new count, or a negative errno. When only doorbells rang,
    /// the hot registrations are looked at at once. <paramref name="signals"/> is the thread's count from before it spun, null if it did not.
    /// </summary>
    private static int Kernel(EpollInstance* instance, int epoll, EpollEvent* events, int count, int capacity, ulong left, ulong* mask, uint* signals = null, uint round = 0)
    {
        EpollEvent* fresh = events + count;
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
        if (received <= 0) return count > 0 ? count : received;
        if (instance->Accelerated == 0 && !AnyTag(fresh, received)) return count + received;
        if (!ThreadLock.Enter(&instance->Lock)) return count > 0 ? count : -Linux.EINTR;
        if (count == 0 || instance->Round != round) instance->Round++;
        instance->KernelAsked = Process.Now();
        count = EpollReport.AddKernel(instance, events, count, fresh, received);
        count = EpollReport.AddHot(instance, events, count, capacity);
        if (count > 0) LeaveArmed(instance, left != 0 ? 1 : 0);
        ThreadLock.Exit(&instance->Lock);
        return count;
    }

    private static bool AnyTag(EpollEvent* events, int count)
    {
        for (int i = 0; i < count; i++) if (EpollTag.IsTag(events[i].Data)) return true;
        return false;
    }
}
