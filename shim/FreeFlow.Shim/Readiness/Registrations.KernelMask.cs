using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>What of an accelerated registration is still the kernel's to report.</content>
internal static unsafe partial class Registrations
{
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
                if (owed || MustRefresh(entry, record)) Modify(entry, record);
                Heat(owner, entry);
                if (inner) ThreadLock.Exit(&owner->Lock);
                NudgeSleepers(owner);
            }
        }
        Process.Errno = errno;
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>Modifying an edge-triggered registration makes the kernel report anew; one that hears of the end of stream anyway is spared.</summary>
    private static bool MustRefresh(Registration* entry, ConnectionRecord* record) =>
        (entry->Events & (Linux.EPOLLET | Linux.EPOLLRDHUP)) != (Linux.EPOLLET | Linux.EPOLLRDHUP) || (NeededMask(entry, record) & ~entry->KernelEvents) != 0;

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
        bool quiet = (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0 && Volatile.Read(ref record->KernelAttention) == 0;
        // Modifying an edge-triggered registration makes the kernel report anew what it has; with nothing to report that is no loss.
        if ((needed & ~entry->KernelEvents) == 0 && (needed & modes) == (entry->KernelEvents & modes) && ((needed & modes) == 0 || quiet)) return 0;
        bool onlyEndOfStream = quiet && Gate.Phase(&record->SendGate) == DirectionPhase.Ring && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring;
        return SetKernelMask(entry, onlyEndOfStream ? needed | Linux.EPOLLIN | Linux.EPOLLRDHUP : needed);
    }

    private static int SetKernelMask(Registration* entry, uint mask)
    {
        EpollEvent wanted = new() { Events = mask, Data = EpollTag.ForSocket((int)(entry - Entries), entry->Generation) };
        int result = Process.Libc->epoll_ctl(Instances[entry->Instance].Epoll, Linux.EPOLL_CTL_MOD, entry->Descriptor, &wanted);
        if (result == 0) entry->KernelEvents = mask;
        return result;
    }

    /// <summary>
    /// The application's mask, without writability while the ring answers for it; plus the peer's end of stream, which alone tells a sender on a full
    /// ring that its reader has died.
    /// </summary>
    private static uint NeededMask(Registration* entry, ConnectionRecord* record)
    {
        uint mask = entry->Events & ~Linux.EPOLLEXCLUSIVE;
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0) return Linux.EPOLLONESHOT;
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring) return mask;
        mask &= ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM);
        if ((record->Flags & (uint)ConnectionFlags.PeerFinished) == 0) mask |= Linux.EPOLLRDHUP;
        return mask;
    }
}
