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
