using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
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
            if (record != null) ChangeBeforeClose(fd, first, record);
            bool accelerated = record != null && Entries[first - 1].Connection != 0;
            if (record != null ? Haunt(fd, first, record) : Entries[first - 1].Guest != 0 && HauntGuest(fd, first)) continue;
            if (accelerated && Outlive(fd, first, record)) continue;
            // A relative holds the socket, so that the kernel goes on reporting the registration; of a ring it could not.
            if (record != null && record->RingAddress == 0 && (Entries[first - 1].Flags & RegistrationFlags.Dormant) == 0 && !Holders.IsSole(record, fd)) Offering.KeepInKernel(record, Reason.ClosedRegistration);
            // With a duplicate still open, here or elsewhere, the kernel goes on reporting it.
            if (IsTagged(Entries + (first - 1))) RestoreItem(Instances + Entries[first - 1].Instance, Entries + (first - 1));
            if (accelerated) Discard(first);
            else Remove(first);
        }
        int index = Connections.Descriptors[fd].Instance;
        if (index == 0) return;
        EpollInstance* instance = Instances + (index - 1);
        if (--instance->References > 0) MoveTo(instance, index, fd);
        else if (!Keep(instance, fd)) Forget(instance);
    }

    /// <summary>An epoll instance goes on under another of its descriptors.</summary>
    private static void MoveTo(EpollInstance* instance, int index, int closing)
    {
        int other = instance->Epoll == closing ? OtherDescriptor(index, closing) : -1;
        if (other >= 0) instance->Epoll = other;
    }

    /// <summary>Another descriptor of an epoll instance, −1 if there is none.</summary>
    private static int OtherDescriptor(int index, int except)
    {
        if (Instances[index - 1].References == 0) return -1;
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if (fd != except && (Process.Flags[fd] & DescriptorFlags.Epoll) != 0 && Connections.Descriptors[fd].Instance == index) return fd;
        }
        return -1;
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
            // A relative that has the set, too, hears of room in the kernel by nothing else.
            if (Instances[entry->Instance].Shared != 0) mask = entry->Events & ~Linux.EPOLLEXCLUSIVE;
            if ((entry->Flags & RegistrationFlags.Disarmed) == 0 && !IsEdgeOnly(entry)) SetKernelMask(entry, mask);
            Process.Errno = errno;
        }
        BecomeGhost(fd, index, other - 1);
        return true;
    }

    /// <summary>Likewise an epoll instance inside another one.</summary>
    private static bool HauntGuest(int fd, int index)
    {
        int other = OtherDescriptor(Entries[index - 1].Guest, fd);
        if (other < 0) return false;
        BecomeGhost(fd, index, other);
        return true;
    }

    private static void BecomeGhost(int fd, int index, int other)
    {
        Registration* entry = Entries + (index - 1);
        entry->Flags |= RegistrationFlags.Ghost;
        Connections.Descriptors[fd].FirstRegistration = entry->NextOfDescriptor;
        entry->Descriptor = other;
        entry->NextOfDescriptor = Connections.Descriptors[other].FirstRegistration;
        Connections.Descriptors[other].FirstRegistration = index;
    }
}
