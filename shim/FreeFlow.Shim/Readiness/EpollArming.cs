using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// Before a thread sleeps on an epoll instance, or leaves others asleep on it, the doorbells of its hot registrations are armed; then they are looked at once more
/// (shim/models/doorbell.pml).
/// </summary>
internal static unsafe class EpollArming
{
    /// <summary>Arms every hot registration; false if one turned out ready on the second look, and all stay hot.</summary>
    public static bool Arm(EpollInstance* instance)
    {
        if (instance->HotCount == 0) return true;
        if (!ThreadLock.Enter(&instance->Lock)) return true;
        ArmHot(instance);
        bool quiet = !AnyReady(instance, all: true);
        for (int place = instance->HotCount - 1; quiet && place >= 0; place--)
        {
            Registration* entry = Registrations.Entries + instance->Hot[place];
            // What another instance has to say no doorbell tells alone.
            if (entry->Guest == 0) Registrations.Cool(instance, entry);
        }
        ThreadLock.Exit(&instance->Lock);
        return quiet;
    }

    /// <summary>Caller holds the lock.</summary>
    public static void ArmHot(EpollInstance* instance)
    {
        for (int i = 0; i < instance->HotCount; i++) ArmOne(Registrations.Entries + instance->Hot[i]);
    }

    private static void ArmOne(Registration* entry)
    {
        if (entry->Guest != 0) { _ = Arm(Registrations.Instances + (entry->Guest - 1)); return; }
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        RingBlockHeader* outgoing = Registrations.Outgoing(entry, record);
        if ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0) Doorbell.ArmReader(Registrations.Incoming(entry, record));
        if ((entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) == 0 || RingReadiness.HasRoom(record, outgoing)) return;
        if (!Registrations.IsBodiless(entry)) BufferSizes.Refresh(entry->Descriptor, record);
        Doorbell.ArmWriter(outgoing);
    }

    /// <summary>Arms one hot registration; cold from now on, and true, unless it turned out ready on the second look. Caller holds the lock.</summary>
    public static bool TryCool(EpollInstance* instance, Registration* entry)
    {
        if (entry->Guest != 0) return false;
        ArmOne(entry);
        if (EpollReport.Ready(entry, out _) != 0) return false;
        Registrations.Cool(instance, entry);
        return true;
    }

    /// <summary>
    /// This thread is about to leave with reports while others sleep on the instance: what comes next must wake one of them. Caller holds the lock.
    /// </summary>
    public static void LeaveArmed(EpollInstance* instance, int own)
    {
        if (!Registrations.MayHaveSleepers(instance, own)) return;
        ArmHot(instance);
        // Whoever waits for the whole has not heard of what this round reports.
        if (AnyReady(instance, all: instance->Watched != 0)) Registrations.NudgeSleepers(instance);
    }

    /// <summary>True if a hot registration is ready; with <paramref name="all"/> those that this round has reported count, too. Caller holds the lock.</summary>
    public static bool AnyReady(EpollInstance* instance, bool all)
    {
        bool any = false;
        for (int i = 0; i < instance->HotCount; i++)
        {
            Registration* entry = Registrations.Entries + instance->Hot[i];
            if (!all && entry->ReportedRound == instance->Round) continue;
            uint bits = EpollReport.Ready(entry, out ulong tail);
            if (instance->Watched == 0 && bits != 0) return true;
            if (instance->Watched != 0) CountEdge(instance, entry, bits, tail);
            any |= bits != 0;
        }
        return any;
    }

    private static void CountEdge(EpollInstance* instance, Registration* entry, uint bits, ulong tail)
    {
        bool arrival = tail != entry->TailSeen && (entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0;
        if (arrival || (bits & ~entry->BitsSeen) != 0) instance->Edges++;
        entry->TailSeen = tail;
        entry->BitsSeen = bits;
    }

    /// <summary>
    /// True if spinning may find something: a ring whose doorbell is not armed. But before anything comes from other hosts two routers must run. They look after a few streams themselves for a while
    /// (docs/fabric.md, LinkPoller); for more of them they have to be woken, and need the processor more than this wait does.
    /// </summary>
    public static bool IsWorthSpinning(EpollInstance* instance)
    {
        if (instance->Guests == 0 && instance->HotCount <= RingLayout.MostAwaited) return instance->HotCount > 0;
        if (!ThreadLock.Enter(&instance->Lock)) return false;
        bool hot = false;
        int mirrored = 0;
        for (int i = 0; i < instance->HotCount && mirrored <= RingLayout.MostAwaited; i++)
        {
            Registration* entry = Registrations.Entries + instance->Hot[i];
            hot |= entry->Guest == 0 || IsWorthSpinning(Registrations.Instances + (entry->Guest - 1));
            if (entry->Guest == 0 && ReturnMark.IsMirrored(Family.Records + (entry->Connection - 1))) mirrored++;
        }
        ThreadLock.Exit(&instance->Lock);
        return hot && mirrored <= RingLayout.MostAwaited;
    }
}
