using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>
/// Sets that nobody has waited for by the shim yet. Whoever does so by system calls of its own would be told of doorbells, and the shim's data in place of the program's: until the
/// first wait is seen, or the process forks, the kernel's set stays as the program made it. (What it misses of a ring then the router finds out.)
/// </content>
internal static unsafe partial class Registrations
{
    /// <summary>True if the kernel's set may be changed for the sake of rings.</summary>
    private static bool MayChange(EpollInstance* owner) => owner->Waited != 0;

    /// <summary>A connection with a ring has been registered: as <see cref="Accelerate"/>, or later.</summary>
    public static bool Hear(int index, uint connection) => !MayChange(Instances + Entries[index - 1].Instance) || Accelerate(index, connection);

    /// <summary>Before the first wait for a set: what was put off comes in. Takes the lock.</summary>
    public static void BeginWaiting(EpollInstance* instance)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        int unheard = Change(instance);
        if (locked) ThreadLock.Exit(Connections.LockWord());
        // Each leaves its ring, and the next look passes it over.
        for (int errno = Process.Errno; unheard >= 0; Process.Errno = errno)
        {
            SocketCalls.KeepInKernel(unheard, Reason.DescriptorLimit);
            locked = ThreadLock.Enter(Connections.LockWord());
            unheard = Change(instance, after: unheard);
            if (locked) ThreadLock.Exit(Connections.LockWord());
        }
    }

    /// <summary>As <see cref="BeginWaiting"/>; the first descriptor above <paramref name="after"/> of whose ring the set cannot hear, or −1. Caller holds the lock.</summary>
    private static int Change(EpollInstance* instance, int after = -1)
    {
        instance->Waited = 1;
        int unheard = -1, errno = Process.Errno;
        for (int index = instance->FirstRegistration; index != 0; index = Entries[index - 1].NextOfInstance)
        {
            Registration* entry = Entries + (index - 1);
            if (!IsPlain(entry)) continue;
            ConnectionRecord* record = Connections.Find(entry->Descriptor);
            if (record == null) continue;
            if (record->RingAddress == 0) Tag(index);
            else if (!Accelerate(index, Connections.IndexOf(record) + 1) && entry->Descriptor > after && (unheard < 0 || entry->Descriptor < unheard)) unheard = entry->Descriptor;
        }
        Process.Errno = errno;
        return unheard;
    }

    /// <summary>True for an item in the kernel's set that is still as the program made it.</summary>
    private static bool IsPlain(Registration* entry) => entry->Connection == 0 && entry->Guest == 0 && (entry->Flags & (RegistrationFlags.Dormant | RegistrationFlags.Ghost)) == 0;

    /// <summary>
    /// Before a descriptor is closed whose socket lives on: its item in the kernel's set stays, and nobody could change it later.
    /// </summary>
    private static void ChangeBeforeClose(int fd, int index, ConnectionRecord* record)
    {
        Registration* entry = Entries + (index - 1);
        if (record->RingAddress == 0 || !IsPlain(entry)) return;
        int first = Connections.Local[Connections.IndexOf(record)].FirstDescriptor;
        bool isOnly = first == fd + 1 && Connections.Descriptors[fd].NextDescriptor == 0 && Holders.IsSole(record, fd);
        if (!isOnly) _ = Accelerate(index, Connections.IndexOf(record) + 1);
    }
}
