using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>
/// Registrations of sockets that this process has closed and a relative still has open: the kernel's set, which both share, goes on reporting them to either
/// (epoll(7), question 6). Ring and doorbell stay mapped here as long as there is such a registration; the socket itself does not, or it would not end with its last owner.
/// </content>
internal static unsafe partial class Registrations
{
    /// <summary>1: a registration of this kind was found to be of a connection that is no more.</summary>
    public static uint BodilessDue;

    /// <summary>This process's last descriptor of a connection is about to be closed: true if the registration outlives it.</summary>
    private static bool Outlive(int fd, int index, ConnectionRecord* record)
    {
        Registration* entry = Entries + (index - 1);
        bool ghost = (entry->Flags & RegistrationFlags.Ghost) != 0;
        if (entry->Connection == 0 || (entry->Flags & RegistrationFlags.Dormant) != 0 || record->RingAddress == 0) return false;
        bool sole = Holders.IsSole(record, fd), kernel = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back && Gate.Phase(&record->SendGate) == DirectionPhase.Back;
        // Who has been passed the descriptor is not counted among the holders, and has the kernel's socket alone.
        if ((kernel && !sole) || (record->Flags & (uint)ConnectionFlags.Passed) != 0) { LeaveToKernel(fd, index); return true; }
        if (sole) return false;
        // For good: the kernel's writability too, which it reports for ever while the ring is full, but nobody could add it when the ring is left.
        if (!ghost && (entry->Flags & RegistrationFlags.Disarmed) == 0 && !IsEdgeOnly(entry))
        {
            int errno = Process.Errno;
            SetKernelMask(entry, entry->Events & ~Linux.EPOLLEXCLUSIVE);
            Process.Errno = errno;
        }
        LocalConnection* local = Connections.Local + (entry->Connection - 1);
        if (local->Bodiless++ == 0)
        {
            local->Ring = record->RingAddress;
            local->Capacity = record->Capacity;
            local->Side = record->Side;
            local->Doorbell = record->Doorbell;
            local->Generation = record->Generation;
        }
        LoseBody(fd, entry);
        return true;
    }

    private static void LoseBody(int fd, Registration* entry)
    {
        entry->Flags |= RegistrationFlags.Ghost | RegistrationFlags.Bodiless;
        Connections.Descriptors[fd].FirstRegistration = entry->NextOfDescriptor;
        entry->Descriptor = -1;
        entry->NextOfDescriptor = 0;
    }

    /// <summary>
    /// Both directions are in the kernel for good: it gets the application's own registration back. An edge-triggered one it would report anew then; so that one keeps its
    /// tag, and stands for no connection any more.
    /// </summary>
    private static void LeaveToKernel(int fd, int index)
    {
        Registration* entry = Entries + (index - 1);
        EpollInstance* owner = Instances + entry->Instance;
        int errno = Process.Errno;
        bool tagged = IsEdgeOnly(entry) || (entry->Flags & RegistrationFlags.Ghost) != 0;
        if (!tagged) RestoreItem(owner, entry);
        else
        {
            bool locked = ThreadLock.Enter(&owner->Lock);
            LeaveConnection(owner, entry, kernel: true);
            entry->Connection = 0;
            LoseBody(fd, entry);
            if (locked) ThreadLock.Exit(&owner->Lock);
        }
        if (!tagged) Remove(index);
        Process.Errno = errno;
    }

    public static bool IsBodiless(Registration* entry) => (entry->Flags & RegistrationFlags.Bodiless) != 0;

    /// <summary>False if nobody has the socket open any more: the kernel has forgotten the registration, and the record may be another connection's.</summary>
    public static bool IsAlive(Registration* entry)
    {
        ConnectionRecord* record = Family.Records + (entry->Connection - 1);
        int errno = Process.Errno;
        bool alive = Volatile.Read(ref record->Generation) == Connections.Local[entry->Connection - 1].Generation && record->State != (uint)ConnectionState.Closed && !Holders.IsSole(record);
        Process.Errno = errno;
        if (!alive) Volatile.Write(ref BodilessDue, 1);
        return alive;
    }

    /// <summary>The blocks of a registration's ring: those of a bodiless one are not looked for in the record, which may be freed at any time.</summary>
    public static RingBlockHeader* Incoming(Registration* entry, ConnectionRecord* record)
    {
        if (!IsBodiless(entry)) return Block.Incoming(record);
        LocalConnection* local = Connections.Local + (entry->Connection - 1);
        return Block.Of(local->Ring, local->Capacity, local->Side ^ 1);
    }

    public static RingBlockHeader* Outgoing(Registration* entry, ConnectionRecord* record)
    {
        if (!IsBodiless(entry)) return Block.Outgoing(record);
        LocalConnection* local = Connections.Local + (entry->Connection - 1);
        return Block.Of(local->Ring, local->Capacity, local->Side);
    }

    private static int DoorbellOf(Registration* entry) =>
        IsBodiless(entry) ? Connections.Local[entry->Connection - 1].Doorbell : Family.Records[entry->Connection - 1].Doorbell;

    /// <summary>A bodiless registration has been removed: ring and doorbell go with the last of its connection. Caller holds the table's lock.</summary>
    private static void LeaveBody(uint connection)
    {
        LocalConnection* local = Connections.Local + (connection - 1);
        if (--local->Bodiless != 0) return;
        Graveyard.Bury(connection, lastHolder: false, local->Ring, local->Capacity, local->Doorbell);
    }

    /// <summary>Forgets those of connections that are no more. Takes the lock.</summary>
    public static void RemoveBodiless()
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        Volatile.Write(ref BodilessDue, 0);
        for (int i = 0; i < _usedInstances; i++) RemoveBodiless(Instances + i, 0);
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>Forgets those of one connection, whose record is free for another. Caller holds the table's lock.</summary>
    public static void RemoveBodiless(uint connection)
    {
        for (int i = 0; i < _usedInstances && Connections.Local[connection - 1].Bodiless != 0; i++) RemoveBodiless(Instances + i, connection);
    }

    private static void RemoveBodiless(EpollInstance* owner, uint connection)
    {
        if (owner->References == 0) return;
        for (int next, index = owner->FirstRegistration; index != 0; index = next)
        {
            Registration* entry = Entries + (index - 1);
            next = entry->NextOfInstance;
            if (IsBodiless(entry) && entry->Connection != 0 && (connection == 0 ? !IsAlive(entry) : entry->Connection == connection)) Remove(index);
        }
    }
}
