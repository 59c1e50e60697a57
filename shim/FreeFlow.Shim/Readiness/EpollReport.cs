using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>What one epoll wait reports of its hot registrations; the kernel's events are <see cref="EpollTranslation"/>'s.</summary>
internal static unsafe class EpollReport
{
    /// <summary>
    /// The ring's part of a registration's readiness, as an event mask; 0 if there is nothing to report. <paramref name="tail"/> is the position that a
    /// report of EPOLLIN stands for.
    /// </summary>
    public static uint Ready(Registration* entry, out ulong tail)
    {
        tail = 0;
        if ((entry->Flags & (RegistrationFlags.Disarmed | RegistrationFlags.Bodiless)) != 0 && ((entry->Flags & RegistrationFlags.Disarmed) != 0 || !Registrations.IsAlive(entry))) return 0;
        if (entry->Guest != 0) return EpollWhole.Ready(entry, out tail);
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        RingBlockHeader* incoming = Registrations.Incoming(entry, record);
        tail = Volatile.Read(ref incoming->Tail);
        uint bits = 0;
        bool waitsForRoom = (entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0, sendsToRing = SendReturn.HidesKernelRoom(record);
        if ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0 && RingReadiness.IsReadable(record, incoming)) bits |= Linux.EPOLLIN | Linux.EPOLLRDNORM;
        if (waitsForRoom && sendsToRing && RingReadiness.HasRoom(record, Registrations.Outgoing(entry, record))) bits |= Linux.EPOLLOUT | Linux.EPOLLWRNORM;
        uint owed = (entry->Flags & RegistrationFlags.Owed) == 0 ? 0 : StillOwed(entry, sendsToRing);
        bool edgeTriggered = (entry->Events & Linux.EPOLLET) != 0;
        if (edgeTriggered && owed == 0 && (entry->Flags & RegistrationFlags.Fresh) == 0)
        {
            // An arrival is an edge for whoever waits for input, and an edge reports all that is there when it is looked at (epoll(7)).
            bool edge = ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0 && tail != entry->TailReported)
                || ((bits & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0 && Volatile.Read(ref record->SendBlocked) != 0);
            if (!edge) return 0;
            // After the own shutdown(SHUT_RD) there is input for ever, and what has come is the occasion to say so.
            if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ReceiveShutdown) != 0) bits |= Linux.EPOLLIN | Linux.EPOLLRDNORM | Linux.EPOLLRDHUP;
            // What has come stands in the ring, behind bytes of the kernel that are still unread, and that it has reported before.
            if ((entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM)) != 0 && tail != entry->TailReported && RingReadiness.KernelRest(record, incoming) != 0) bits |= Linux.EPOLLIN | Linux.EPOLLRDNORM;
        }
        // What the kernel would not report by itself: an arrival in the ring is no edge to it, and a closed descriptor's mask cannot be changed.
        if (waitsForRoom && !sendsToRing && (edgeTriggered || (entry->Flags & RegistrationFlags.Ghost) != 0) && KernelHasRoom(entry)) bits |= Linux.EPOLLOUT | Linux.EPOLLWRNORM;
        // The kernel has told this error to the shim, and the program has not heard of it.
        if (record->PendingError != 0) owed |= Linux.EPOLLERR;
        return (bits & entry->Events) | owed;
    }

    /// <summary>As the kernel does with what stands in a ready list: it is looked at again when it is reported.</summary>
    private static uint StillOwed(Registration* entry, bool sendsToRing)
    {
        PollDescriptor look = new() { Descriptor = entry->Descriptor, Events = (short)entry->Events };
        int errno = Process.Errno;
        Process.Libc->poll(&look, 1, 0);
        Process.Errno = errno;
        uint bits = (ushort)look.Returned & (entry->Events | Linux.EPOLLERR | Linux.EPOLLHUP);
        if (sendsToRing) bits &= ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM);
        if (bits != 0) return bits;
        entry->Flags &= ~RegistrationFlags.Owed;
        // The kernel's shot is gone, and the application's is not.
        if (entry->KernelEvents == Registrations.Spent) Registrations.Modify(entry, Family.Records + (entry->Connection - 1));
        return 0;
    }

    /// <summary>What the kernel says of a socket whose sending direction has just gone back: whether it has room, as far as the registration waits for that, and of an end.</summary>
    public static uint AfterReturn(Registration* entry)
    {
        if (Registrations.IsBodiless(entry)) return 0;
        PollDescriptor look = new() { Descriptor = entry->Descriptor, Events = (short)(entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) };
        int errno = Process.Errno;
        Process.Libc->poll(&look, 1, 0);
        Process.Errno = errno;
        return (ushort)look.Returned & (entry->Events | Linux.EPOLLERR | Linux.EPOLLHUP);
    }

    private static bool KernelHasRoom(Registration* entry)
    {
        // Nobody can be asked: while the ring was used nothing has used it up, and the kernel reports for itself a set that is not edge-triggered.
        if (Registrations.IsBodiless(entry)) return (entry->Events & Linux.EPOLLET) != 0;
        PollDescriptor look = new() { Descriptor = entry->Descriptor, Events = Linux.POLLOUT };
        int errno = Process.Errno;
        bool room = Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLOUT) != 0;
        Process.Errno = errno;
        return room;
    }

    /// <summary>False if the kernel has something of its own to say of a registration, or may have: it is asked then before a report goes out.</summary>
    private static bool KernelIsQuiet(Registration* entry)
    {
        if (entry->Guest != 0) return false;
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        if ((record->Flags & (uint)ConnectionFlags.PeerFinished) != 0 || Volatile.Read(ref record->KernelAttention) != 0) return false;
        // The peer's shim says so before its kernel does.
        if ((Volatile.Read(ref Registrations.Incoming(entry, record)->WriterClosed) | Volatile.Read(ref Registrations.Outgoing(entry, record)->ReaderClosed)) != 0) return false;
        bool waitsForRoom = (entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0 && (entry->Events & Linux.EPOLLET) == 0;
        return Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && (!waitsForRoom || Gate.Phase(&record->SendGate) == DirectionPhase.Ring);
    }

    /// <summary>The peer has ended its stream, and all of it is read: the kernel has the end, or will in a moment, and it is as old as what other rings have.</summary>
    private static bool EndIsDue(Registration* entry)
    {
        if (entry->Guest != 0) return false;
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        return Volatile.Read(ref Registrations.Incoming(entry, record)->WriterClosed) != 0 && (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0;
    }

    /// <summary>What the kernel has once it may have again: a level-triggered registration is reported by every wait, however busy the rings are.</summary>
    public static void AskAgain(EpollInstance* instance) => instance->KernelAsked = 0;

    /// <summary>
    /// A program that always finds something, or never sleeps, has the registrations that nothing has come for during so many waits armed one by one, or those that
    /// were busy once would be looked at for ever. A few do no harm.
    /// </summary>
    private const uint HotWaits = 64;
    private const int FewHot = 8;

    private const ulong KernelEveryNanoseconds = 30_000;
    private const uint KernelEveryRounds = 16;

    /// <summary>
    /// Writes what the hot registrations have to report; returns the new count, or −EFAULT if there is no place for the very first. Caller holds the instance's lock.
    /// </summary>
    public static int AddHot(EpollInstance* instance, EpollEvent* events, int count, int capacity, AfterHot after)
    {
        int hot = instance->HotCount;
        if (hot == 0) return count;
        int place = instance->HotStart % hot, first = count, looked = 0;
        bool anyNews = false, anyOneShot = false;
        while (looked < hot && count < capacity)
        {
            Registration* entry = Registrations.Entries + instance->Hot[place];
            if (entry->ReportedRound != instance->Round)
            {
                uint bits = Ready(entry, out ulong tail);
                if (bits == 0 && EndIsDue(entry)) AskAgain(instance);
                if (bits == 0 && hot > FewHot && instance->Waits - entry->HotSince > HotWaits && EpollArming.TryCool(instance, entry))
                {
                    // The last one has taken its place.
                    hot = instance->HotCount;
                    if (place >= hot) place = 0;
                    continue;
                }
                if (bits != 0)
                {
                    // What cannot be written is not told: it stays ready, as in the kernel.
                    if (!TryReport(instance, entry, events, count, bits, tail)) { if (count == 0) return -Linux.EFAULT; break; }
                    count++;
                    anyOneShot |= (entry->Events & Linux.EPOLLONESHOT) != 0;
                    if (!KernelIsQuiet(entry)) { anyNews = true; AskAgain(instance); }
                    if (count == capacity) instance->HotStart = place + 1;
                    if (count == capacity && place + 1 >= hot) instance->HotCameRound = 1;
                }
            }
            looked++;
            if (++place < hot) continue;
            place = 0;
            if (count < capacity) instance->HotCameRound = 1;
        }
        if (count == first) return count;
        bool all = after == AfterHot.Nothing || (count == capacity && after != AfterHot.Asked);
        if (anyOneShot ? all || after == AfterHot.Reason : all && (anyNews || instance->Round % KernelEveryRounds == 0))
            for (; looked > 0; looked--) Complete(instance, Registrations.Entries + instance->Hot[place = (place == 0 ? hot : place) - 1], events, first, count, all);
        if (count - first > 1) EpollOrder.Sort(instance, events, first, count);
        return count;
    }

    /// <summary>The first <paramref name="count"/> reports are of rings, and the kernel had more to say than there was room for. Caller holds the instance's lock.</summary>
    public static void Complete(EpollInstance* instance, EpollEvent* events, int count)
    {
        for (int i = 0; i < instance->HotCount; i++) Complete(instance, Registrations.Entries + instance->Hot[i], events, 0, count, always: true);
    }

    /// <summary>
    /// A report tells all that is there (epoll(7)), and one of a one-shot registration is the last: what the kernel has to say of this one is asked of its socket, because the
    /// set may not come to tell it now.
    /// </summary>
    /// <param name="instance">The set.</param>
    /// <param name="entry">One that may have been reported.</param>
    /// <param name="events">The reports.</param>
    /// <param name="first">The first one in question.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="always">False: only if the registration is one-shot.</param>
    private static void Complete(EpollInstance* instance, Registration* entry, EpollEvent* events, int first, int count, bool always)
    {
        bool oneShot = (entry->Events & Linux.EPOLLONESHOT) != 0;
        if (entry->ReportedRound != instance->Round || entry->ReportedAt < first || entry->ReportedAt >= count || entry->Connection == 0 || !(always || oneShot)) return;
        if (KernelIsQuiet(entry) && !IsDue(instance, entry, oneShot)) return;
        EpollTranslation.Complete(instance, entry, events + entry->ReportedAt);
    }

    /// <summary>
    /// What nobody hints at, such as the death of a peer, is found out now and then: in the last report of a one-shot registration unless that was a moment ago, because no
    /// other report follows; in others every few rounds, because the set itself tells it next.
    /// </summary>
    private static bool IsDue(EpollInstance* instance, Registration* entry, bool oneShot)
    {
        if (!oneShot) return instance->Round % KernelEveryRounds == 0;
        ulong now = Process.Now();
        if (now - entry->KernelAsked < KernelEveryNanoseconds) return false;
        entry->KernelAsked = now;
        return true;
    }

    /// <summary>Writes one event; false, and nothing done, if the program's array ends before.</summary>
    public static bool TryReport(EpollInstance* instance, Registration* entry, EpollEvent* events, int at, uint bits, ulong tail)
    {
        if (!CallerMemory.TryWrite(events + at, new EpollEvent { Events = bits, Data = entry->Data })) return false;
        entry->ReportedRound = instance->Round;
        entry->ReportedAt = at;
        entry->HotSince = instance->Waits;
        if ((entry->Flags & RegistrationFlags.Woken) != 0 && Registrations.IsEdgeOnly(entry)) entry->Flags |= RegistrationFlags.Answers;
        entry->Flags &= ~(RegistrationFlags.Fresh | RegistrationFlags.Owed | RegistrationFlags.Woken);
        entry->TailReported = tail;
        if ((bits & Linux.EPOLLOUT) != 0) Family.Records[entry->Connection - 1].SendBlocked = 0;
        if ((entry->Events & Linux.EPOLLONESHOT) != 0) entry->Flags |= RegistrationFlags.Disarmed;
        return true;
    }
}
