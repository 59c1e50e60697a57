using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>The kernel's events translated back to the application's: those of tagged sockets, of doorbells, of instances inside others.</summary>
internal static unsafe class EpollTranslation
{
    /// <summary>
    /// Translates <paramref name="received"/> kernel events at <paramref name="from"/> into reports that follow the <paramref name="count"/> already there;
    /// returns the new count. Caller holds the instance's lock.
    /// </summary>
    /// <param name="inside">True if the private set has events, too.</param>
    public static int Add(EpollInstance* instance, EpollEvent* events, int count, EpollEvent* from, int received, out bool inside)
    {
        inside = false;
        for (int i = 0; i < received; i++)
        {
            EpollEvent raw = from[i];
            if (!EpollTag.IsTag(raw.Data)) { events[count++] = raw; EpollReport.AskAgain(instance); continue; }
            if (raw.Data == EpollTag.ForPrivateSet) { inside = Registrations.FindPrivateSet(instance); continue; }
            Registration* entry = Find(instance, raw.Data);
            if (entry == null) continue;
            if (EpollTag.IsDoorbell(raw.Data)) AddDoorbell(instance, entry, raw.Events);
            else if (entry->Connection == 0 && entry->Guest == 0) count = AddPlain(instance, entry, raw.Events, events, count);
            else count = entry->Guest != 0 ? AddGuest(instance, entry, raw.Events, events, count) : AddSocket(instance, entry, raw.Events, events, count);
        }
        return count;
    }

    /// <summary>
    /// An event of a private set that is only looked at: true if it makes the instance ready. What the kernel would not say again is kept. Caller holds the instance's lock.
    /// </summary>
    public static bool Peek(EpollInstance* instance, EpollEvent raw)
    {
        Registration* entry = EpollTag.IsTag(raw.Data) ? Find(instance, raw.Data) : null;
        if (entry == null || entry->Guest != 0) return false;
        if (entry->Connection == 0) return (entry->Flags & RegistrationFlags.Disarmed) == 0 && (raw.Events & (entry->Events | Linux.EPOLLERR | Linux.EPOLLHUP)) != 0;
        if (EpollTag.IsDoorbell(raw.Data)) { AddDoorbell(instance, entry, raw.Events); return false; }
        bool says = Hear(instance, entry, raw.Events, merges: false, out uint bits) && (bits != 0 || Registrations.IsEdgeOnly(entry));
        if (!says || (entry->Events & (Linux.EPOLLET | Linux.EPOLLONESHOT)) == 0) return says;
        // Another process that shares the set is to hear of it, too; for this one's own waits the shim remembers.
        if (instance->Shared != 0) { Registrations.SetKernelMask(entry, entry->Events & ~Linux.EPOLLEXCLUSIVE); return bits != 0; }
        entry->Flags |= RegistrationFlags.Owed | RegistrationFlags.Fresh;
        Registrations.Heat(instance, entry);
        return false;
    }

    /// <summary>The registration a tag means; null if there is none, and after the instance's nudge.</summary>
    private static Registration* Find(EpollInstance* instance, ulong tag)
    {
        if (tag == EpollTag.ForNudge) { Registrations.TakeNudge(instance); return null; }
        if (tag == EpollTag.ForPrivateSet) return null;
        Registration* entry = Registrations.Entries + EpollTag.Registration(tag);
        if (EpollTag.IsCurrent(tag, entry->Generation) && (entry->Connection != 0 || entry->Guest != 0 || ((Registrations.IsBodiless(entry) || Registrations.IsTagged(entry)) && !EpollTag.IsDoorbell(tag)))) return entry;
        // The doorbell of one that is gone, which others may share.
        if (EpollTag.IsDoorbell(tag) && instance->HasMates != 0) Registrations.HeatAll(instance);
        return null;
    }

    private static void AddDoorbell(EpollInstance* instance, Registration* entry, uint raw)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        bool bodiless = Registrations.IsBodiless(entry);
        if (bodiless && !Registrations.IsAlive(entry)) return;
        if ((raw & (Linux.EPOLLHUP | Linux.EPOLLERR)) != 0) Doorbell.NoteGone(record);
        else Doorbell.Heard(record);
        // Whoever has the socket answers.
        if (!bodiless && Recall.Answer(record)) Registrations.Refresh(entry, record, owed: true);
        Registrations.Heat(instance, entry);
        if (entry->NextMate != 0) Registrations.HearMates(instance, entry);
    }

    /// <summary>What bears a tag, and has no ring: not yet, or no more.</summary>
    private static int AddPlain(EpollInstance* instance, Registration* entry, uint raw, EpollEvent* events, int count)
    {
        uint bits = raw & (entry->Events | Linux.EPOLLERR | Linux.EPOLLHUP);
        if (bits == 0 || (entry->Flags & RegistrationFlags.Disarmed) != 0) return count;
        if ((entry->Events & Linux.EPOLLONESHOT) != 0) entry->Flags |= RegistrationFlags.Disarmed;
        EpollReport.AskAgain(instance);
        events[count] = new EpollEvent { Events = bits, Data = entry->Data };
        return count + 1;
    }

    /// <summary>An instance inside this one: the kernel may have been woken by a doorbell whose bytes are read already.</summary>
    private static int AddGuest(EpollInstance* instance, Registration* entry, uint raw, EpollEvent* events, int count)
    {
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0 || (entry->ReportedRound == instance->Round && entry->ReportedAt < count)) return count;
        if (!EpollWhole.IsReady(entry))
        {
            // It has fired in the kernel, and not for the application.
            if ((entry->Events & Linux.EPOLLONESHOT) != 0) Registrations.SetKernelMask(entry, entry->Events);
            return count;
        }
        EpollReport.AskAgain(instance);
        return EpollReport.TryReport(instance, entry, events, count, raw & entry->Events, Registrations.Instances[entry->Guest - 1].Edges) ? count + 1 : count;
    }

    private static int AddSocket(EpollInstance* instance, Registration* entry, uint raw, EpollEvent* events, int count)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        bool merges = entry->ReportedRound == instance->Round && entry->ReportedAt < count, hidden = SendReturn.HidesKernelRoom(record);
        if (!Hear(instance, entry, raw, merges, out uint bits)) return count;
        // The direction has just gone back: the kernel was not asked for its room before.
        if (hidden && !SendReturn.HidesKernelRoom(record)) bits |= EpollReport.AfterReturn(entry);
        EpollReport.AskAgain(instance);
        if (merges)
        {
            events[entry->ReportedAt].Events |= bits;
            return count;
        }
        // An edge reports all that is there (epoll(7)), though what arrived may have been read since; the end of a stream is one for every registration.
        entry->Flags |= RegistrationFlags.Fresh;
        uint ring = EpollReport.Ready(entry, out ulong tail);
        if ((bits | ring) == 0) return count;
        // The kernel's input says nothing of the ring's behind it: that one is still to be reported.
        bool crossed = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && Volatile.Read(ref record->KernelConsumed) >= record->ReceiveSwitchAt;
        return EpollReport.TryReport(instance, entry, events, count, bits | ring, ring != 0 || crossed ? tail : entry->TailReported) ? count + 1 : count;
    }

    /// <summary>
    /// Adds to a ring's report what the kernel has to say of the socket. An edge-triggered set still holds the event that says so.
    /// </summary>
    public static void Complete(EpollInstance* instance, Registration* entry, EpollEvent* report)
    {
        const uint output = Linux.EPOLLOUT | Linux.EPOLLWRNORM;
        if (Registrations.IsBodiless(entry)) return;
        PollDescriptor look = new() { Descriptor = entry->Descriptor, Events = (short)(entry->Events | Linux.EPOLLRDHUP) };
        int errno = Process.Errno;
        Process.Libc->poll(&look, 1, 0);
        Process.Errno = errno;
        uint raw = (ushort)look.Returned & (entry->Events | Linux.EPOLLRDHUP | Linux.EPOLLERR | Linux.EPOLLHUP);
        bool hidden = SendReturn.HidesKernelRoom(Family.Records + (entry->Connection - 1));
        if (hidden) raw &= ~output;
        if (raw == 0) return;
        const RegistrationFlags kept = RegistrationFlags.Echoes | RegistrationFlags.Answers | RegistrationFlags.Woken;
        RegistrationFlags flags = entry->Flags & kept;
        bool isNew = (raw & ~entry->KernelTold) != 0;
        entry->Flags &= ~kept;
        if (Hear(instance, entry, raw, merges: true, out uint bits)) report->Events |= bits;
        entry->Flags |= flags;
        if (!Registrations.IsEdgeOnly(entry) || !isNew) return;
        if (hidden) entry->KernelTold |= output;
        entry->Flags |= RegistrationFlags.Told;
    }

    /// <summary>What a socket's event tells the shim; true if it may be the application's business, which <paramref name="bits"/> of it are.</summary>
    private static bool Hear(EpollInstance* instance, Registration* entry, uint raw, bool merges, out uint bits)
    {
        bits = 0;
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        bool bodiless = Registrations.IsBodiless(entry);
        if (bodiless && !Registrations.IsAlive(entry)) return false;
        if (!bodiless) raw = MirroredLook.Filter(entry->Descriptor, record, raw);
        if ((raw & (Linux.EPOLLIN | Linux.EPOLLRDHUP | Linux.EPOLLHUP | Linux.EPOLLERR)) != 0) Volatile.Write(ref record->KernelAttention, 1);
        if ((raw & (Linux.EPOLLRDHUP | Linux.EPOLLHUP | Linux.EPOLLERR)) != 0)
        {
            NotePeerFinished(entry, record);
            // A sender that waits for room hears of it by the ring's readiness.
            Registrations.Heat(instance, entry);
        }
        if (IsEcho(entry, record, raw)) return false;
        bool told = (entry->Flags & RegistrationFlags.Told) != 0 && (raw & ~entry->KernelTold) == 0;
        entry->Flags &= ~(RegistrationFlags.Told | RegistrationFlags.Woken);
        if (told) return false;
        entry->KernelTold |= raw;
        if ((entry->Events & Linux.EPOLLONESHOT) != 0) entry->KernelEvents = Registrations.Spent;
        if ((entry->Flags & RegistrationFlags.Dormant) != 0) { Silence(entry); return false; }
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0 && !merges) return false;
        bits = raw & (entry->Events | Linux.EPOLLERR | Linux.EPOLLHUP);
        bool hides = SendReturn.HidesKernelRoom(record);
        if (hides) bits &= ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM);
        // Nothing is sent behind the own end of stream: room that is told of again is the same.
        if (hides || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0)
        {
            bool answer = (entry->Flags & RegistrationFlags.Answers) != 0 && (raw & ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM)) == 0;
            entry->Flags &= ~RegistrationFlags.Answers;
            if (answer) return false;
        }
        if (bits != 0 || Registrations.IsEdgeOnly(entry)) return true;
        // The kernel's mask was wider than needed; a level-triggered set would report this for ever.
        Registrations.Modify(entry, record);
        return false;
    }

    /// <summary>
    /// True if an event is only the kernel's answer to a registration that has moved: it says what it had said before, of what happens once (an end, a reset) or lasts
    /// (room that was never used up).
    /// </summary>
    private static bool IsEcho(Registration* entry, ConnectionRecord* record, uint raw)
    {
        if ((entry->Flags & RegistrationFlags.Echoes) == 0) return false;
        entry->Flags &= ~RegistrationFlags.Echoes;
        bool input = (raw & (Linux.EPOLLIN | Linux.EPOLLPRI)) != 0, output = (raw & Linux.EPOLLOUT) != 0;
        // Nothing comes behind the peer's end of stream; behind the own shutdown(SHUT_RD), which looks the same, it does.
        bool ended = (entry->KernelTold & (Linux.EPOLLRDHUP | Linux.EPOLLHUP)) != 0 && (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ReceiveShutdown) == 0;
        return (raw & ~entry->KernelTold) == 0 && (!input || ended) && (!output || Volatile.Read(ref record->SendBlocked) == 0);
    }

    /// <summary>An event for what the application has removed: the kernel is told now.</summary>
    private static void Silence(Registration* entry)
    {
        EpollEvent none;
        Registrations.ControlHome(Registrations.Instances + entry->Instance, Linux.EPOLL_CTL_DEL, entry->Descriptor, &none);
        entry->KernelEvents = 0;
        entry->Flags |= RegistrationFlags.Absent;
    }

    /// <summary>
    /// The reader may be gone: a sender that found the ring full goes back to the kernel, which knows. The watch on the end of stream is taken off,
    /// or a level-triggered set would report it for ever.
    /// </summary>
    private static void NotePeerFinished(Registration* entry, ConnectionRecord* record)
    {
        if ((Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished) & (uint)ConnectionFlags.PeerFinished) != 0 || Registrations.IsBodiless(entry)) return;
        bool back = false;
        if (Volatile.Read(ref record->SendBlocked) != 0) PeerDeath.Note(record);
        if (Volatile.Read(ref record->SendBlocked) != 0 && ThreadLock.Enter(&record->SendLock))
        {
            back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
            if (back) Handover.SendBack(record, Contract.Reason.PeerClosed);
            ThreadLock.Exit(&record->SendLock);
        }
        Registrations.Refresh(entry, record, owed: back);
    }
}
