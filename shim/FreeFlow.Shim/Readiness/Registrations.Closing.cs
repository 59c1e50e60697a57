using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>What close(2) leaves of registrations and instances.</content>
internal static unsafe partial class Registrations
{
    /// <summary>A descriptor number is about to be closed.</summary>
    public static void DropDescriptor(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        while (Connections.Descriptors[fd].FirstRegistration != 0)
        {
            int first = Connections.Descriptors[fd].FirstRegistration;
            bool accelerated = record != null && Entries[first - 1].Connection != 0;
            if (record != null && Haunt(fd, first, record)) continue;
            // What a forked child closes, the parent may go on watching in the set that both share.
            if (accelerated && !Holders.IsSole(record, fd)) Remove(first, kernel: false);
            else if (accelerated) Discard(first);
            else Remove(first);
        }
        int index = Connections.Descriptors[fd].Instance;
        if (index == 0) return;
        EpollInstance* instance = Instances + (index - 1);
        if (--instance->References > 0) { MoveTo(instance, index, fd); return; }
        while (instance->FirstRegistration != 0) Remove(instance->FirstRegistration, kernel: false);
        if (instance->Nudge != 0) OwnDescriptors.Close(instance->Nudge);
        instance->NextFree = _freeInstances;
        _freeInstances = index;
    }

    /// <summary>An epoll instance goes on under another of its descriptors.</summary>
    private static void MoveTo(EpollInstance* instance, int index, int closing)
    {
        if (instance->Epoll != closing) return;
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            if ((Process.Flags[fd] & DescriptorFlags.Epoll) == 0 || fd == closing || Connections.Descriptors[fd].Instance != index) continue;
            instance->Epoll = fd;
            return;
        }
    }

    /// <summary>
    /// The kernel's sets hold open files, not numbers: with a duplicate still open, what was registered by the number that closes is reported as before
    /// (epoll(7), question 6). False if there is no other, or nothing that the application would hear of.
    /// </summary>
    private static bool Haunt(int fd, int index, ConnectionRecord* record)
    {
        Registration* entry = Entries + (index - 1);
        int other = Connections.Local[Connections.IndexOf(record)].FirstDescriptor;
        while (other == fd + 1) other = Connections.Descriptors[other - 1].NextDescriptor;
        if (other == 0 || (entry->Flags & RegistrationFlags.Dormant) != 0) return false;
        if (entry->Connection == 0)
        {
            // The kernel's own affair, and must remain so: nobody could tell it that the ring answers from now on.
            if (record->State == (uint)ConnectionState.Kernel) Offering.KeepInKernel(record, Reason.ClosedRegistration);
            return false;
        }
        if ((entry->Flags & RegistrationFlags.Ghost) == 0)
        {
            int errno = Process.Errno;
            // For good: nothing that a level-triggered set would report for ever without the application's wish.
            uint mask = entry->Events & ~(Linux.EPOLLEXCLUSIVE | Linux.EPOLLOUT | Linux.EPOLLWRNORM);
            if ((entry->Flags & RegistrationFlags.Disarmed) == 0 && !IsEdgeOnly(entry)) SetKernelMask(entry, mask);
            Process.Errno = errno;
        }
        entry->Flags |= RegistrationFlags.Ghost;
        Connections.Descriptors[fd].FirstRegistration = entry->NextOfDescriptor;
        entry->Descriptor = other - 1;
        entry->NextOfDescriptor = Connections.Descriptors[other - 1].FirstRegistration;
        Connections.Descriptors[other - 1].FirstRegistration = index;
        return true;
    }
}
