using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>epoll_ctl(2) for TCP sockets. The kernel decides; what it accepted is recorded.</summary>
internal static unsafe class EpollControl
{
    public static int Control(int epoll, int operation, int fd, EpollEvent* wanted)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        bool known = !Connections.InRange(epoll) || Process.Flags[epoll] != 0;
        int result = Locked(epoll, operation, fd, wanted, out bool unheard);
        // A number that the kernel does not take for a set may be anything, now or later.
        if (!known && result != 0) Registrations.Disown(epoll);
        if (locked) ThreadLock.Exit(Connections.LockWord());
        if (result != 0 && Process.Errno == Linux.ELOOP && operation == Linux.EPOLL_CTL_ADD && !GuestControl.WouldBeCircle(epoll, fd))
        {
            // The private sets make a nest one deeper: do without.
            Registrations.GiveAway(fd, Reason.NestedEpoll);
            return Process.Libc->epoll_ctl(epoll, operation, fd, wanted);
        }
        if (!unheard) return result;
        int errno = Process.Errno;
        if (Connections.Find(fd) != null) SocketCalls.KeepInKernel(fd, Reason.DescriptorLimit);
        else if (Connections.Descriptors[fd].Instance != 0) Registrations.LeaveRings(Connections.Descriptors[fd].Instance - 1, Reason.NestedEpoll);
        Process.Errno = errno;
        return result;
    }

    /// <param name="unheard">True if the set was given a connection of whose ring it cannot hear, or another set full of them.</param>
    private static int Locked(int epoll, int operation, int fd, EpollEvent* wanted, out bool unheard)
    {
        unheard = false;
        bool isSet = Connections.InRange(epoll) && (Process.Flags[epoll] & ~DescriptorFlags.Epoll) == 0;
        EpollInstance* instance = isSet ? Registrations.Instance(epoll) : null;
        if (instance == null || (wanted == null && operation != Linux.EPOLL_CTL_DEL)) return Process.Libc->epoll_ctl(epoll, operation, fd, wanted);
        int owner = (int)(instance - Registrations.Instances);
        if ((Process.Flags[fd] & DescriptorFlags.Epoll) != 0) return GuestControl.Control(epoll, owner, operation, fd, wanted, out unheard);
        int index = Registrations.Find(owner, fd);
        switch (operation)
        {
            case Linux.EPOLL_CTL_ADD when index != 0 && IsDormant(index): return Revive(owner, epoll, fd, wanted, index, out unheard);
            case Linux.EPOLL_CTL_ADD: return Add(epoll, owner, fd, wanted, index, out unheard);
            case Linux.EPOLL_CTL_MOD or Linux.EPOLL_CTL_DEL when index != 0 && IsDormant(index):
                Process.Errno = operation == Linux.EPOLL_CTL_MOD && (wanted->Events & Linux.EPOLLEXCLUSIVE) != 0 ? Linux.EINVAL : Linux.ENOENT;
                return -1;
            case Linux.EPOLL_CTL_MOD when index != 0: return Modify(epoll, fd, wanted, index);
            case Linux.EPOLL_CTL_DEL when index != 0: return Delete(epoll, fd, index);
            default: return Process.Libc->epoll_ctl(epoll, operation, fd, wanted);
        }
    }

    /// <summary>The kernel is to find for itself that a descriptor is not in the set: what is there without the application's knowledge goes.</summary>
    public static void DropDormant(int epoll, int fd)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        int instance = Connections.InRange(epoll) ? Connections.Descriptors[epoll].Instance : 0;
        int index = instance != 0 ? Registrations.Find(instance - 1, fd) : 0;
        if (index != 0 && IsDormant(index)) Registrations.Discard(index);
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    private static bool IsDormant(int index) => (Registrations.Entries[index - 1].Flags & RegistrationFlags.Dormant) != 0;

    private static int Delete(int epoll, int fd, int index)
    {
        Registration* entry = Registrations.Entries + (index - 1);
        if (entry->Connection == 0)
        {
            EpollEvent none;
            int result = Process.Libc->epoll_ctl(epoll, Linux.EPOLL_CTL_DEL, fd, &none);
            if (result == 0) Registrations.Remove(index);
            return result;
        }
        EpollInstance* owner = Registrations.Instances + entry->Instance;
        bool locked = ThreadLock.Enter(&owner->Lock);
        entry->Flags |= RegistrationFlags.Dormant;
        Registrations.Cool(owner, entry);
        if (locked) ThreadLock.Exit(&owner->Lock);
        return 0;
    }

    /// <summary>The application adds again what it had removed.</summary>
    private static int Revive(int owner, int epoll, int fd, EpollEvent* wanted, int index, out bool unheard)
    {
        unheard = false;
        Registration* entry = Registrations.Entries + (index - 1);
        if ((wanted->Events & Linux.EPOLLEXCLUSIVE) == 0 && (entry->Flags & RegistrationFlags.Absent) == 0 && Connections.Descriptors[fd].Connection == entry->Connection && !EpollTag.IsTag(wanted->Data))
        {
            int result = Change(entry, wanted);
            // A process that shares the set has heard an event of it, and removed it for good.
            if (result == 0 || Process.Errno != Linux.ENOENT) return result;
        }
        Registrations.Discard(index);
        return Add(epoll, owner, fd, wanted, 0, out unheard);
    }

    private static int Add(int epoll, int owner, int fd, EpollEvent* wanted, int known, out bool unheard)
    {
        unheard = false;
        // What has moved is not in the set that the application names.
        if (known != 0 && !Registrations.IsFree(owner, fd, wanted)) return -1;
        int index = Registrations.Add(owner, fd, wanted->Events, wanted->Data);
        EpollEvent own = Registrations.WithTag(index, wanted);
        // A thread that sleeps in the set may have the event before this one is back in user space: it waits until the tag is noted.
        EpollInstance* instance = Registrations.Instances + owner;
        bool locked = ThreadLock.Enter(&instance->Lock);
        int result = Process.Libc->epoll_ctl(epoll, Linux.EPOLL_CTL_ADD, fd, &own);
        if (result == 0) Registrations.NoteTag(index, &own);
        if (locked) ThreadLock.Exit(&instance->Lock);
        if (result != 0)
        {
            int errno = Process.Errno;
            if (index != 0) Registrations.Remove(index);
            Process.Errno = errno;
            return result;
        }
        // The kernel forgot an earlier registration with the socket that had this number.
        if (known != 0) Registrations.Remove(known);
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) return 0;
        bool servable = index != 0 && instance->GivenAway == 0 && !EpollTag.IsTag(wanted->Data);
        if (Volatile.Read(ref record->RingAddress) == 0)
        {
            int givenAway = instance->GivenAway;
            if (!servable) Offering.KeepInKernel(record, givenAway != 0 ? (Reason)givenAway : Reason.NestedEpoll);
            return 0;
        }
        unheard = !servable || !Registrations.Hear(index, Connections.IndexOf(record) + 1);
        Registrations.NudgeSleepers(instance);
        return 0;
    }

    private static int Modify(int epoll, int fd, EpollEvent* wanted, int index)
    {
        Registration* entry = Registrations.Entries + (index - 1);
        if (entry->Connection == 0) return ModifyPlain(epoll, fd, wanted, index);
        // epoll_ctl(2): neither to it nor away from it.
        if (((entry->Events | wanted->Events) & Linux.EPOLLEXCLUSIVE) != 0)
        {
            Process.Errno = Linux.EINVAL;
            return -1;
        }
        return Change(entry, wanted);
    }

    /// <summary>
    /// One without a ring. Under the set's lock, since a sleeper may have the event before this thread is back; and with a tag of its own, so that an event of the mask
    /// before, which a thread has taken and not yet looked at, is not taken for the new one's: what is still true of it, the kernel says again.
    /// </summary>
    private static int ModifyPlain(int epoll, int fd, EpollEvent* wanted, int index)
    {
        Registration* entry = Registrations.Entries + (index - 1);
        EpollInstance* owner = Registrations.Instances + entry->Instance;
        bool locked = ThreadLock.Enter(&owner->Lock);
        entry->Generation++;
        EpollEvent own = Registrations.WithTag(index, wanted);
        int result = Process.Libc->epoll_ctl(epoll, Linux.EPOLL_CTL_MOD, fd, &own);
        if (result == 0)
        {
            entry->Events = wanted->Events;
            entry->Data = wanted->Data;
            entry->Flags &= ~RegistrationFlags.Disarmed;
            Registrations.NoteTag(index, &own);
        }
        else entry->Generation--;
        if (locked) ThreadLock.Exit(&owner->Lock);
        return result;
    }

    private static int Change(Registration* entry, EpollEvent* wanted)
    {
        EpollInstance* owner = Registrations.Instances + entry->Instance;
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        bool locked = ThreadLock.Enter(&owner->Lock);
        entry->Events = wanted->Events;
        entry->Data = wanted->Data;
        entry->Flags = RegistrationFlags.Fresh;
        entry->KernelTold = 0;
        if ((wanted->Events & (Linux.EPOLLET | Linux.EPOLLONESHOT)) != 0) entry->BitsSeen = 0;
        int result = Registrations.Widen(entry, record);
        Registrations.Heat(owner, entry);
        if (locked) ThreadLock.Exit(&owner->Lock);
        Registrations.NudgeSleepers(owner);
        return result;
    }
}
