using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>What one epoll wait reports: the ring's readiness of hot registrations, and the kernel's events translated back to the application's.</summary>
internal static unsafe class EpollReport
{
    /// <summary>
    /// The ring's part of a registration's readiness, as an event mask; 0 if there is nothing to report. <paramref name="tail"/> is the position that a
    /// report of EPOLLIN stands for.
    /// </summary>
    public static uint Ready(Registration* entry, out ulong tail)
    {
        tail = 0;
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0) return 0;
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        RingBlockHeader* incoming = Block.Incoming(record);
        tail = Volatile.Read(ref incoming->Tail);
        uint bits = 0;
        bool waitsForRoom = (entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0, sendsToRing = SendReturn.HidesKernelRoom(record);
        if ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0 && RingReadiness.IsReadable(record, incoming)) bits |= Linux.EPOLLIN | Linux.EPOLLRDNORM;
        if (waitsForRoom && sendsToRing && RingReadiness.HasRoom(record, Block.Outgoing(record))) bits |= Linux.EPOLLOUT | Linux.EPOLLWRNORM;
        bool edgeTriggered = (entry->Events & Linux.EPOLLET) != 0;
        if (edgeTriggered && (entry->Flags & RegistrationFlags.Fresh) == 0)
        {
            // An arrival is an edge for whoever waits for input, and an edge reports all that is there when it is looked at (epoll(7)).
            bool edge = ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0 && tail != entry->TailReported)
                || ((bits & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0 && Volatile.Read(ref record->SendBlocked) != 0);
            if (!edge) return 0;
        }
        // What the kernel would not report by itself: an arrival in the ring is no edge to it, and a closed descriptor's mask cannot be changed.
        if (waitsForRoom && !sendsToRing && (edgeTriggered || (entry->Flags & RegistrationFlags.Ghost) != 0) && KernelHasRoom(entry)) bits |= Linux.EPOLLOUT | Linux.EPOLLWRNORM;
        return bits & entry->Events;
    }

    private static bool KernelHasRoom(Registration* entry)
    {
        PollDescriptor look = new() { Descriptor = entry->Descriptor, Events = Linux.POLLOUT };
        int errno = Process.Errno;
        bool room = Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLOUT) != 0;
        Process.Errno = errno;
        return room;
    }

    /// <summary>False if the kernel has something of its own to say of a registration, or may have: it is asked then before a report goes out.</summary>
    private static bool KernelIsQuiet(Registration* entry)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        if ((record->Flags & (uint)ConnectionFlags.PeerFinished) != 0 || Volatile.Read(ref record->KernelAttention) != 0) return false;
        bool waitsForRoom = (entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0 && (entry->Events & Linux.EPOLLET) == 0;
        return Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && (!waitsForRoom || Gate.Phase(&record->SendGate) == DirectionPhase.Ring);
    }

    /// <summary>What the kernel has once it may have again: a level-triggered registration is reported by every wait, however busy the rings are.</summary>
    private static void AskAgain(EpollInstance* instance) => instance->KernelAsked = 0;

    /// <summary>
    /// A program that always finds something, or never sleeps, has the registrations that nothing has come for during so many waits armed one by one, or those that
    /// were busy once would be looked at for ever. A few do no harm.
    /// </summary>
    private const uint HotWaits = 64;
    private const int FewHot = 8;

    /// <summary>Writes what the hot registrations have to report; returns the new count. Caller holds the instance's lock.</summary>
    public static int AddHot(EpollInstance* instance, EpollEvent* events, int count, int capacity)
    {
        int hot = instance->HotCount;
        if (hot == 0) return count;
        int place = instance->HotStart % hot, first = count;
        for (int looked = 0; looked < hot && count < capacity;)
        {
            Registration* entry = Registrations.Entries + instance->Hot[place];
            if (entry->ReportedRound != instance->Round)
            {
                uint bits = Ready(entry, out ulong tail);
                if (bits == 0 && hot > FewHot && instance->Waits - entry->HotSince > HotWaits && EpollWaiter.TryCool(instance, entry))
                {
                    // The last one has taken its place.
                    hot = instance->HotCount;
                    if (place >= hot) place = 0;
                    continue;
                }
                if (bits != 0)
                {
                    Report(instance, entry, events, count++, bits, tail);
                    if (!KernelIsQuiet(entry)) AskAgain(instance);
                    if (count == capacity) instance->HotStart = place + 1;
                }
            }
            looked++;
            if (++place >= hot) place = 0;
        }
        if (count - first > 1) EpollOrder.Sort(instance, events, first, count);
        return count;
    }

    /// <summary>
    /// Translates <paramref name="received"/> kernel events at <paramref name="from"/> into reports that follow the <paramref name="count"/> already there;
    /// returns the new count. Caller holds the instance's lock.
    /// </summary>
    public static int AddKernel(EpollInstance* instance, EpollEvent* events, int count, EpollEvent* from, int received)
    {
        for (int i = 0; i < received; i++)
        {
            EpollEvent raw = from[i];
            if (!EpollTag.IsTag(raw.Data)) { events[count++] = raw; AskAgain(instance); continue; }
            if (raw.Data == EpollTag.ForNudge) { Registrations.TakeNudge(instance); continue; }
            Registration* entry = Registrations.Entries + EpollTag.Registration(raw.Data);
            if (!EpollTag.IsCurrent(raw.Data, entry->Generation) || entry->Connection == 0)
            {
                // The doorbell of one that is gone, which others may share.
                if (EpollTag.IsDoorbell(raw.Data) && instance->HasMates != 0) Registrations.HeatAll(instance);
                continue;
            }
            if (EpollTag.IsDoorbell(raw.Data)) { AddDoorbell(instance, entry, raw.Events); continue; }
            count = AddSocket(instance, entry, raw.Events, events, count);
        }
        return count;
    }

    private static void AddDoorbell(EpollInstance* instance, Registration* entry, uint raw)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        if ((raw & (Linux.EPOLLHUP | Linux.EPOLLERR)) != 0) Doorbell.NoteGone(record);
        else Doorbell.Heard(record);
        if (Recall.Answer(record)) Registrations.Modify(entry, record);
        Registrations.Heat(instance, entry);
        if (entry->NextMate != 0) Registrations.HearMates(instance, entry);
    }

    private static int AddSocket(EpollInstance* instance, Registration* entry, uint raw, EpollEvent* events, int count)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        raw = MirroredLook.Filter(entry->Descriptor, record, raw);
        if ((raw & (Linux.EPOLLIN | Linux.EPOLLRDHUP | Linux.EPOLLHUP | Linux.EPOLLERR)) != 0) Volatile.Write(ref record->KernelAttention, 1);
        if ((raw & (Linux.EPOLLRDHUP | Linux.EPOLLHUP | Linux.EPOLLERR)) != 0)
        {
            NotePeerFinished(entry, record);
            // A sender that waits for room hears of it by the ring's readiness.
            Registrations.Heat(instance, entry);
        }
        if ((entry->Events & Linux.EPOLLONESHOT) != 0) entry->KernelEvents = Registrations.Spent;
        if ((entry->Flags & RegistrationFlags.Dormant) != 0) { Silence(entry); return count; }
        bool merges = entry->ReportedRound == instance->Round && entry->ReportedAt < count;
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0 && !merges) return count;
        uint bits = raw & (entry->Events | Linux.EPOLLERR | Linux.EPOLLHUP);
        if (SendReturn.HidesKernelRoom(record)) bits &= ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM);
        if (bits == 0 && !Registrations.IsEdgeOnly(entry))
        {
            // The kernel's mask was wider than needed; a level-triggered set would report this for ever.
            Registrations.Modify(entry, record);
            return count;
        }
        AskAgain(instance);
        if (merges)
        {
            events[entry->ReportedAt].Events |= bits;
            return count;
        }
        // An edge reports all that is there (epoll(7)), though what arrived may have been read since; the end of a stream is one for every registration.
        entry->Flags |= RegistrationFlags.Fresh;
        uint ring = Ready(entry, out ulong tail);
        if ((bits | ring) == 0) return count;
        // The kernel's input says nothing of the ring's behind it: that one is still to be reported.
        bool crossed = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && Volatile.Read(ref record->KernelConsumed) >= record->ReceiveSwitchAt;
        Report(instance, entry, events, count, bits | ring, ring != 0 || crossed ? tail : entry->TailReported);
        return count + 1;
    }

    /// <summary>An event for what the application has removed: the kernel is told now.</summary>
    private static void Silence(Registration* entry)
    {
        EpollEvent none;
        Process.Libc->epoll_ctl(Registrations.Instances[entry->Instance].Epoll, Linux.EPOLL_CTL_DEL, entry->Descriptor, &none);
        entry->KernelEvents = 0;
        entry->Flags |= RegistrationFlags.Absent;
    }

    /// <summary>
    /// The reader may be gone: a sender that found the ring full goes back to the kernel, which knows. The watch on the end of stream is taken off,
    /// or a level-triggered set would report it for ever.
    /// </summary>
    private static void NotePeerFinished(Registration* entry, ConnectionRecord* record)
    {
        if ((Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished) & (uint)ConnectionFlags.PeerFinished) != 0) return;
        bool back = false;
        if (Volatile.Read(ref record->SendBlocked) != 0 && ThreadLock.Enter(&record->SendLock))
        {
            back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
            if (back) Handover.SendBack(record, Contract.Reason.PeerClosed);
            ThreadLock.Exit(&record->SendLock);
        }
        if (Registrations.MustRefresh(entry, record, owed: back)) Registrations.Modify(entry, record);
    }

    private static void Report(EpollInstance* instance, Registration* entry, EpollEvent* events, int at, uint bits, ulong tail)
    {
        events[at].Events = bits;
        events[at].Data = entry->Data;
        entry->ReportedRound = instance->Round;
        entry->ReportedAt = at;
        entry->HotSince = instance->Waits;
        entry->Flags &= ~RegistrationFlags.Fresh;
        entry->TailReported = tail;
        if ((bits & Linux.EPOLLOUT) != 0) Family.Records[entry->Connection - 1].SendBlocked = 0;
        if ((entry->Events & Linux.EPOLLONESHOT) != 0) entry->Flags |= RegistrationFlags.Disarmed;
    }
}
