using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>What of an accelerated registration is still the kernel's to report.</content>
internal static unsafe partial class Registrations
{
    /// <summary>In place of a mask: EPOLLONESHOT has fired in the kernel, which reports nothing at all until it is modified.</summary>
    public const uint Spent = Linux.EPOLLEXCLUSIVE;

    /// <summary>
    /// After the sending direction has moved: the kernel's writability counts no more, or again; who waits for it must look again. Takes the lock.
    /// <paramref name="owed"/>: edge-triggered sets are owed a report of what the kernel says now.
    /// </summary>
    public static void Refresh(uint connection, bool owed = false)
    {
        ConnectionRecord* record = Family.Records + (connection - 1);
        bool locked = ThreadLock.Enter(Connections.LockWord());
        int errno = Process.Errno;
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
        {
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                Registration* entry = Entries + (index - 1);
                if (entry->Connection == 0) continue;
                EpollInstance* owner = Instances + entry->Instance;
                bool inner = ThreadLock.Enter(&owner->Lock);
                Refresh(entry, record, owed);
                Heat(owner, entry);
                if (inner) ThreadLock.Exit(&owner->Lock);
                NudgeSleepers(owner);
            }
        }
        Process.Errno = errno;
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>One registration of a connection whose roads have changed. Caller holds the set's lock.</summary>
    public static void Refresh(Registration* entry, ConnectionRecord* record, bool owed)
    {
        if (MustRefresh(entry, record, owed)) Modify(entry, record);
    }

    /// <summary>An edge-triggered registration that is modified reports anew what the kernel has: only if it lacks something, or waits for room.</summary>
    private static bool MustRefresh(Registration* entry, ConnectionRecord* record, bool owed)
    {
        uint needed = NeededMask(entry, record);
        if (!IsEdgeOnly(entry)) return needed != entry->KernelEvents;
        return (needed & ~entry->KernelEvents) != 0
            || (owed && (entry->Events & (Linux.EPOLLOUT | Linux.EPOLLWRNORM)) != 0 && Volatile.Read(ref record->SendBlocked) != 0);
    }

    /// <summary>Tells the kernel exactly what of an accelerated registration is its business now, and no more.</summary>
    public static int Modify(Registration* entry, ConnectionRecord* record) => SetKernelMask(entry, NeededMask(entry, record));

    /// <summary>
    /// As <see cref="Modify"/> after the application has changed its mind, but only if what the kernel has does not serve already; then with room for
    /// further changes.
    /// </summary>
    public static int Widen(Registration* entry, ConnectionRecord* record)
    {
        const uint modes = Linux.EPOLLET | Linux.EPOLLONESHOT;
        uint needed = NeededMask(entry, record);
        bool quiet = (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0 && Volatile.Read(ref record->KernelAttention) == 0
            && Gate.Phase(&record->SendGate) == DirectionPhase.Ring && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring;
        // The kernel shows with an edge all that there is: one of what is not waited for would pass for one of what is.
        bool exact = (needed & modes) == Linux.EPOLLET, fits = (needed & ~entry->KernelEvents) == 0 && (!exact || needed == entry->KernelEvents);
        // Modifying an edge-triggered registration makes the kernel report anew what it has; with nothing to report that is no loss.
        if (entry->KernelEvents != Spent && fits && (needed & modes) == (entry->KernelEvents & modes) && ((needed & modes) == 0 || quiet)) return 0;
        return SetKernelMask(entry, quiet && !exact ? needed | Linux.EPOLLIN | Linux.EPOLLRDHUP : needed);
    }

    public static int SetKernelMask(Registration* entry, uint mask)
    {
        if ((entry->Flags & RegistrationFlags.Ghost) != 0) return 0;
        EpollEvent wanted = new() { Events = mask, Data = EpollTag.ForSocket((int)(entry - Entries), entry->Generation) };
        EpollInstance* owner = Instances + entry->Instance;
        int result = entry->Guest != 0 ? Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_MOD, entry->Descriptor, &wanted)
            : ControlHome(owner, Linux.EPOLL_CTL_MOD, entry->Descriptor, &wanted);
        if (result == 0) entry->KernelEvents = mask;
        if (IsEdgeOnly(entry)) entry->Flags |= RegistrationFlags.Answers;
        // What the kernel reports of it now is owed already, and is to come with what the ring reports.
        Instances[entry->Instance].KernelAsked = 0;
        return result;
    }

    /// <summary>
    /// After what makes the kernel wake everybody who waits on the socket, whatever for (shutdown(2)): edge-triggered sets are owed a report of what the
    /// ring has. Takes the lock.
    /// </summary>
    public static void Owe(ConnectionRecord* record)
    {
        uint connection = Connections.IndexOf(record) + 1;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                Registration* entry = Entries + (index - 1);
                if (entry->Connection != 0) entry->Flags = (entry->Flags | RegistrationFlags.Fresh | RegistrationFlags.Woken) & ~RegistrationFlags.Told;
            }
        if (locked) ThreadLock.Exit(Connections.LockWord());
        Heat(record);
    }

    /// <summary>
    /// The application's mask, without writability while the ring answers for it; plus the peer's end of stream, which alone tells a sender on a full
    /// ring that its reader has died. An edge-triggered one keeps both all the time: it reports them once, and would report anew what it has if it were
    /// modified.
    /// </summary>
    private static uint NeededMask(Registration* entry, ConnectionRecord* record)
    {
        uint mask = entry->Events & ~Linux.EPOLLEXCLUSIVE;
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0) return Linux.EPOLLONESHOT;
        bool keeps = IsEdgeOnly(entry);
        if (SendReturn.HidesKernelRoom(record) && !keeps) mask &= ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM);
        if ((record->Flags & (uint)ConnectionFlags.PeerFinished) == 0 || (keeps && (entry->KernelEvents & Linux.EPOLLRDHUP) != 0)) mask |= Linux.EPOLLRDHUP;
        return mask;
    }

    /// <summary>Edge-triggered and not one-shot: the kernel may know more of it than the application asked for, at no cost.</summary>
    public static bool IsEdgeOnly(Registration* entry) => (entry->Events & (Linux.EPOLLET | Linux.EPOLLONESHOT)) == Linux.EPOLLET;
}
