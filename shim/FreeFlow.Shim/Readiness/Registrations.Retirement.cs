using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>Back to what the application registered, for a process that is to do without the shim from now on.</content>
internal static unsafe partial class Registrations
{
    /// <summary>Gives a connection's registrations their own masks and data in the kernel's sets again, and forgets them. Takes the lock.</summary>
    public static void Restore(int fd)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        int index;
        while ((index = Connections.Descriptors[fd].FirstRegistration) != 0)
        {
            Registration* entry = Entries + (index - 1);
            if ((entry->Flags & RegistrationFlags.Dormant) != 0) { Discard(index); continue; }
            if (entry->Connection != 0 || IsTagged(entry)) RestoreItem(Instances + entry->Instance, entry);
            Remove(index);
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>
    /// Takes a descriptor out of the sets that it is in, the kernel's too: what the application has registered, in which sets; how many, at most
    /// <paramref name="most"/>. Takes the lock.
    /// </summary>
    public static int TakeOut(int fd, SetItem* items, int most)
    {
        int count = 0;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int next, index = Connections.Descriptors[fd].FirstRegistration; index != 0 && count < most; index = next)
        {
            Registration* entry = Entries + (index - 1);
            next = entry->NextOfDescriptor;
            if ((entry->Flags & RegistrationFlags.Ghost) != 0) continue;
            if ((entry->Flags & RegistrationFlags.Dormant) == 0)
            {
                bool fired = (entry->Flags & RegistrationFlags.Disarmed) != 0;
                items[count].Epoll = Instances[entry->Instance].Epoll;
                items[count++].Event = new EpollEvent { Events = fired ? Linux.EPOLLONESHOT : entry->Events, Data = entry->Data };
            }
            Discard(index);
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
        return count;
    }

    /// <summary>
    /// Takes a number's registrations off it, which stay in the kernel's sets as the application made them; index plus one of the first, to be put on again. Its socket is
    /// about to be a new one (<see cref="Dissolution"/>). Takes the lock.
    /// </summary>
    public static int Release(int fd)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int next, index = Connections.Descriptors[fd].FirstRegistration; index != 0; index = next)
        {
            Registration* entry = Entries + (index - 1);
            next = entry->NextOfDescriptor;
            if ((entry->Flags & RegistrationFlags.Dormant) != 0) { Discard(index); continue; }
            // Nobody can reach the kernel's item of a closed number any more.
            if (entry->Connection == 0 || (entry->Flags & RegistrationFlags.Ghost) != 0) continue;
            EpollInstance* owner = Instances + entry->Instance;
            bool inner = ThreadLock.Enter(&owner->Lock);
            RestoreItem(owner, entry, stays: true);
            LeaveConnection(owner, entry, kernel: true);
            entry->Connection = 0;
            if (inner) ThreadLock.Exit(&owner->Lock);
        }
        int first = Connections.Descriptors[fd].FirstRegistration;
        Connections.Descriptors[fd].FirstRegistration = 0;
        if (locked) ThreadLock.Exit(Connections.LockWord());
        return first;
    }

    /// <summary>No set has a ring in it any more: waits on them are the kernel's alone. Takes the lock.</summary>
    public static void ForgetAll()
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & DescriptorFlags.Epoll) == 0) continue;
            int index = Connections.Descriptors[fd].Instance;
            if (index != 0) { Untag(index - 1, guests: true); RemoveOwn(Instances + (index - 1)); }
        }
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & DescriptorFlags.Epoll) == 0) continue;
            Process.Flags[fd] = 0;
            Connections.Descriptors[fd] = default;
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }
}
