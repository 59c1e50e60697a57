using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>
/// Instances that others wait for as a whole. The kernel would say that such a set is ready because of a doorbell whose bytes are read already, so the shim's own items
/// move to a private set, which the application's contains. Instances inside others stay where they are: sets may be nested only so deep (epoll_ctl(2), ELOOP).
/// </content>
internal static unsafe partial class Registrations
{
    /// <summary>The kernel's set in which the shim's own items of an instance are.</summary>
    public static int Home(EpollInstance* owner) => owner->IsPrivate != 0 ? owner->Private : owner->Epoll;

    /// <summary>epoll_ctl(2) for one of the shim's own items, which a process forked since may have moved.</summary>
    public static int ControlHome(EpollInstance* owner, int operation, int fd, EpollEvent* wanted)
    {
        int result = Process.Libc->epoll_ctl(Home(owner), operation, fd, wanted);
        if (result == 0 || operation == Linux.EPOLL_CTL_ADD || owner->Shared == 0 || owner->Private == 0 || Process.Errno != Linux.ENOENT) return result;
        return Process.Libc->epoll_ctl(owner->IsPrivate != 0 ? owner->Epoll : owner->Private, operation, fd, wanted);
    }

    /// <summary>True if the kernel would take a descriptor into an instance's private set, or there is none; false with the kernel's errno.</summary>
    public static bool IsFree(int instance, int fd, EpollEvent* wanted)
    {
        EpollInstance* owner = Instances + instance;
        if (owner->Private == 0) return true;
        if (Process.Libc->epoll_ctl(owner->Private, Linux.EPOLL_CTL_ADD, fd, wanted) != 0) return false;
        EpollEvent none;
        Process.Libc->epoll_ctl(owner->Private, Linux.EPOLL_CTL_DEL, fd, &none);
        return true;
    }

    /// <summary>An item that is the shim's business from now on, or has been. False if the kernel does not have it where it was.</summary>
    private static bool MoveHome(EpollInstance* owner, int fd, EpollEvent wanted)
    {
        EpollEvent none;
        if (Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_DEL, fd, &none) != 0) return false;
        return Process.Libc->epoll_ctl(owner->Private, Linux.EPOLL_CTL_ADD, fd, &wanted) == 0;
    }

    /// <summary>
    /// An instance is about to be waited for as a whole, by another one that contains it or by poll(2): what the shim has added to it moves out of the way. False if it
    /// cannot; its connections must do without rings then.
    /// </summary>
    public static bool Watch(EpollInstance* owner)
    {
        owner->Watched = 1;
        if (owner->Waited == 0) _ = Change(owner);
        if (owner->IsPrivate != 0 || owner->Nudge == 0) return true;
        int errno = Process.Errno;
        bool locked = ThreadLock.Enter(&owner->Lock);
        bool moved = MakePrivateSet(owner) && Enclose(owner);
        if (moved) MoveAll(owner);
        if (locked) ThreadLock.Exit(&owner->Lock);
        Process.Errno = errno;
        return moved;
    }

    /// <summary>After an event of the private set: true if this process has it. A relative may have moved its items there. Caller holds the instance's lock.</summary>
    public static bool FindPrivateSet(EpollInstance* owner)
    {
        if (owner->Private == 0) return false;
        if (owner->IsPrivate != 0) return true;
        owner->Watched = owner->IsPrivate = 1;
        MoveAll(owner);
        return true;
    }

    private static bool MakePrivateSet(EpollInstance* owner)
    {
        if (owner->Private != 0) return true;
        int own = OwnDescriptors.Adopt(Process.Libc->epoll_create1(Linux.EPOLL_CLOEXEC));
        if (own < 0) return false;
        owner->Private = own;
        return true;
    }

    private static bool Enclose(EpollInstance* owner)
    {
        EpollEvent door = new() { Events = Linux.EPOLLIN, Data = EpollTag.ForPrivateSet };
        if (Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_ADD, owner->Private, &door) != 0 && Process.Errno != Linux.EEXIST) return false;
        owner->IsPrivate = 1;
        return true;
    }

    private static void MoveAll(EpollInstance* owner)
    {
        MoveHome(owner, owner->Nudge, new EpollEvent { Events = Linux.EPOLLIN, Data = EpollTag.ForNudge });
        for (int index = owner->FirstRegistration; index != 0; index = Entries[index - 1].NextOfInstance)
        {
            Registration* entry = Entries + (index - 1);
            if (entry->Connection == 0) continue;
            // Nobody can move a closed descriptor's, which the kernel goes on reporting where it is.
            if ((entry->Flags & (RegistrationFlags.Absent | RegistrationFlags.Ghost)) == 0)
            {
                uint mask = entry->KernelEvents == Spent ? Linux.EPOLLONESHOT : entry->KernelEvents;
                if (IsEdgeOnly(entry)) entry->Flags |= RegistrationFlags.Echoes;
                MoveHome(owner, entry->Descriptor, new EpollEvent { Events = mask, Data = EpollTag.ForSocket(index - 1, entry->Generation) });
            }
            int doorbell = DoorbellOf(entry);
            EpollEvent none;
            Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_DEL, doorbell, &none);
            AddDoorbell(owner, index, doorbell);
        }
    }

    /// <summary>Hands the connections of an instance back to the kernel, those of instances inside it too. Takes locks, and waits for peers.</summary>
    public static void LeaveRings(int instance, Reason reason)
    {
        // Two may be the ends of one connection, and what an end has gone back with it cannot take back any more.
        bool waiting = false;
        for (int fd = NextMember(instance, -1); fd >= 0; fd = NextMember(instance, fd))
        {
            int inner = (Process.Flags[fd] & DescriptorFlags.Epoll) != 0 ? Connections.Descriptors[fd].Instance : 0;
            if (inner != 0) LeaveRings(inner - 1, reason);
            else waiting |= SocketCalls.StopReading(fd, reason) != null;
        }
        for (int fd = NextMember(instance, -1); fd >= 0; fd = NextMember(instance, fd)) SocketCalls.StopSending(fd, reason);
        ulong deadline = Process.Now() + Recall.PatienceNanoseconds;
        for (int fd = NextMember(instance, -1); fd >= 0 && waiting; fd = NextMember(instance, fd))
        {
            ConnectionRecord* record = Connections.Find(fd);
            if (record != null && record->RingAddress != 0) _ = Recall.Await(fd, record, deadline, Recall.Persists(reason));
        }
    }

    /// <summary>The lowest descriptor above <paramref name="fd"/> that is registered in an instance, −1 if there is none: nothing is held between two steps.</summary>
    private static int NextMember(int instance, int fd)
    {
        int next = int.MaxValue;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int index = Instances[instance].FirstRegistration; index != 0; index = Entries[index - 1].NextOfInstance)
        {
            Registration* entry = Entries + (index - 1);
            if (entry->Descriptor > fd && entry->Descriptor < next && (entry->Flags & RegistrationFlags.Dormant) == 0) next = entry->Descriptor;
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
        return next == int.MaxValue ? -1 : next;
    }
}
