using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>Epoll sets that other programs have, too: in the kernel they must be what the application made them.</content>
internal static unsafe partial class Registrations
{
    /// <summary>
    /// Another program gets the set: its connections go back to the kernel, and stay there, and the kernel gets the application's masks and data again. A ring whose peer
    /// cannot send again what is unread stays, and so does what the set needs to hear of it. Takes locks, and waits for peers.
    /// </summary>
    public static void GiveAway(int fd, Reason reason)
    {
        if (!Connections.InRange(fd) || (Process.Flags[fd] & DescriptorFlags.Epoll) == 0) return;
        int index = Connections.Descriptors[fd].Instance, errno = Process.Errno;
        if (index != 0) GiveAwayInstance(index - 1, reason);
        Process.Errno = errno;
    }

    private static void GiveAwayInstance(int instance, Reason reason)
    {
        Volatile.Write(ref Instances[instance].GivenAway, (int)reason);
        for (int fd = NextMember(instance, -1); fd >= 0; fd = NextMember(instance, fd)) GiveAway(fd, reason);
        LeaveRings(instance, reason);
        bool locked = ThreadLock.Enter(Connections.LockWord());
        Untag(instance, guests: true);
        RemoveOwn(Instances + instance);
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>Before this process becomes another program, or starts one: those of its sets that are inherited show the connections that are whole in the kernel.</summary>
    public static void UntagInherited()
    {
        int errno = Process.Errno;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int instance = 0; instance < _usedInstances; instance++) if (IsInherited(Instances + instance)) Untag(instance, guests: false);
        // Now that it is known which of them have rings left.
        for (int instance = 0; instance < _usedInstances; instance++) if (IsInherited(Instances + instance)) Untag(instance, guests: true);
        if (locked) ThreadLock.Exit(Connections.LockWord());
        Process.Errno = errno;
    }

    private static bool IsInherited(EpollInstance* owner)
    {
        if (owner->References == 0 || (owner->Accelerated | owner->Guests | owner->Tagged) == 0) return false;
        int flags = Process.Libc->fcntl(owner->Epoll, Linux.F_GETFD, null);
        return flags >= 0 && ((flags & Linux.FD_CLOEXEC) == 0 || owner->References > 1);
    }

    /// <summary>
    /// Gives the kernel back the application's masks and data of whatever has no ring; <paramref name="guests"/>: of instances inside, too, which get none any more. Caller
    /// holds the table's lock.
    /// </summary>
    private static void Untag(int instance, bool guests)
    {
        for (int next, index = Instances[instance].FirstRegistration; index != 0; index = next)
        {
            Registration* entry = Entries + (index - 1);
            next = entry->NextOfInstance;
            if (IsTagged(entry)) { RestoreItem(Instances + instance, entry); LoseTag(entry); continue; }
            if (entry->Connection == 0 && (entry->Guest == 0 || !guests || Instances[entry->Guest - 1].Accelerated != 0)) continue;
            if (entry->Guest != 0 && Instances[entry->Guest - 1].GivenAway == 0) Instances[entry->Guest - 1].GivenAway = (int)Reason.NestedEpoll;
            if ((entry->Flags & RegistrationFlags.Dormant) != 0) { Discard(index); continue; }
            if (entry->Connection != 0 && Gate.Phase(&Family.Records[entry->Connection - 1].ReceiveGate) == DirectionPhase.Ring) continue;
            RestoreItem(Instances + instance, entry);
            Remove(index);
        }
    }

    /// <summary>
    /// An item as the application registered it, in the set where it registered it. <paramref name="stays"/>: the shim still hears of it, by a tag if it is one-shot. One
    /// that has fired must say nothing, and what is modified to say nothing the kernel reports all the same when it hangs up.
    /// </summary>
    private static void RestoreItem(EpollInstance* owner, Registration* entry, bool stays = false)
    {
        int index = (int)(entry - Entries) + 1;
        bool disarmed = (entry->Flags & RegistrationFlags.Disarmed) != 0, moved = owner->IsPrivate != 0 && entry->Guest == 0 && entry->Connection != 0;
        EpollEvent own = new() { Events = disarmed ? Linux.EPOLLONESHOT : moved ? entry->Events : entry->Events & ~Linux.EPOLLEXCLUSIVE, Data = entry->Data };
        EpollEvent none;
        if (stays) own = WithTag(index, &own);
        if (moved) Process.Libc->epoll_ctl(owner->Private, Linux.EPOLL_CTL_DEL, entry->Descriptor, &none);
        int result = Process.Libc->epoll_ctl(owner->Epoll, moved ? Linux.EPOLL_CTL_ADD : Linux.EPOLL_CTL_MOD, entry->Descriptor, &own);
        if (stays && result == 0) NoteTag(index, &own);
    }

    /// <summary>Takes the shim's own items out of a set that no ring needs any more. Caller holds the table's lock.</summary>
    private static void RemoveOwn(EpollInstance* owner)
    {
        if (owner->Accelerated != 0 || owner->Guests != 0) return;
        bool locked = ThreadLock.Enter(&owner->Lock);
        EpollEvent none;
        if (owner->Nudge != 0) Process.Libc->epoll_ctl(Home(owner), Linux.EPOLL_CTL_DEL, owner->Nudge, &none);
        if (owner->IsPrivate != 0) Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_DEL, owner->Private, &none);
        // A vfork child closes nothing of its parent's.
        if (!Process.IsBorrowedMemory)
        {
            if (owner->Nudge != 0) OwnDescriptors.Close(owner->Nudge);
            if (owner->Private != 0) OwnDescriptors.Close(owner->Private);
        }
        owner->Nudge = owner->Private = owner->IsPrivate = 0;
        if (locked) ThreadLock.Exit(&owner->Lock);
    }

    /// <summary>The epoll set that another number stands for, −1 if it is none of this process: kcmp(2) tells.</summary>
    public static int SameSet(int fd)
    {
        const int kcmp = 312, file = 0;
        for (int instance = 0; instance < _usedInstances; instance++)
        {
            EpollInstance* owner = Instances + instance;
            if (owner->References > 0 && owner->Epoll != fd && Process.Libc->syscall(kcmp, Process.Id, Process.Id, file, owner->Epoll, fd) == 0) return owner->Epoll;
        }
        return -1;
    }
}
