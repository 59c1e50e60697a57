using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>Takes up the ring and the doorbell that the router hands out.</summary>
internal static unsafe class Joining
{
    private const ulong SliceNanoseconds = 2_000_000;

    /// <summary>Maps the ring and makes the connection Joined. The descriptors are consumed, whatever comes.</summary>
    public static void Take(in Join join, int* descriptors)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        bool taken = locked && IsExpected(join) && (Reattachment.IsDetached(Family.Records + join.Connection) ? Rejoining.Take(join, descriptors) : Map(join, descriptors));
        if (locked) ThreadLock.Exit(Connections.LockWord());
        Process.Libc->close(descriptors[0]);
        if (!taken && join.Mate == 0) Process.Libc->close(descriptors[1]);
    }

    /// <summary>
    /// FREEFLOW_JOIN=wait: sleeps on the control socket until the router has answered, at most the time set; a fortieth of it if the other end is this
    /// process's own, whose turn may come only when this call returns.
    /// </summary>
    public static void Wait(int fd, ConnectionRecord* record)
    {
        ulong patience = Settings.JoinTimeoutNanoseconds;
        ulong deadline = Process.Now() + (Addresses.IsPeerOwn(record, fd) ? patience / 40 : patience);
        while (record->State == (uint)ConnectionState.Offered)
        {
            ulong now = Process.Now();
            if (now >= deadline || !Session.IsOpen) break;
            // Another thread may take the answer just before this one sleeps.
            _ = Session.WaitForMessage(deadline - now < SliceNanoseconds ? deadline - now : SliceNanoseconds);
        }
        if (record->RingAddress != 0) Handover.AnnounceReady(fd, record);
    }

    private static bool IsExpected(in Join join)
    {
        if (join.Connection >= FamilyLayout.RecordCount || join.Side > 1 || !RingLayout.IsValidCapacity(join.Capacity)) return false;
        ConnectionRecord* record = Family.Records + join.Connection;
        if (record->Generation != join.Generation || record->State != (uint)ConnectionState.Offered
            || record->ProcessId != Process.Id || Connections.Local[join.Connection].FirstDescriptor == 0) return false;
        // A child forked since the offer holds the socket, but would not have the ring.
        if ((record->Flags & (uint)ConnectionFlags.KernelOnly) == 0 && Holders.IsSole(record)) return true;
        return Fail(record, (record->Flags & (uint)ConnectionFlags.KernelOnly) != 0 ? (Reason)record->Reason : Reason.SharedByFork);
    }

    private static bool Map(in Join join, int* descriptors)
    {
        ConnectionRecord* record = Family.Records + join.Connection;
        nuint bytes = Block.MappedBytes(join.Capacity);
        void* memory = Process.Libc->mmap(null, bytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, descriptors[0], 0);
        if ((nint)memory == -1) return Fail(record, Reason.MemoryLimit);
        // A mark that was sent before this end has had a ring at all is none.
        Reason reason = IsRing(memory, join.Capacity) && join.MarksToFind == record->MarksFound ? Reason.None : Reason.CorruptRing;
        if (reason == Reason.None && !Registrations.CanHear(join.Connection + 1)) reason = Reason.DescriptorLimit;
        if (reason == Reason.None && !(join.Mate != 0 ? DoorbellMates.Join(join) : TakeDoorbell(join, descriptors[1]))) reason = Reason.DescriptorLimit;
        if (reason != Reason.None)
        {
            Process.Libc->munmap(memory, bytes);
            Fail(record, reason);
            return false;
        }
        // What was set before the connection was tracked.
        if ((Process.Libc->fcntl(Connections.Local[join.Connection].FirstDescriptor - 1, Linux.F_GETFL, null) & Linux.O_NONBLOCK) != 0)
            Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.NonBlocking);
        if (ReturnMark.IsIn((RingBlockHeader*)memory)) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Mirrored);
        record->Capacity = join.Capacity;
        record->SendWindow = (uint)join.Capacity;
        record->Side = join.Side;
        record->Reason = (uint)Reason.None;
        record->JoinedAt = Process.Now();
        Volatile.Write(ref record->RingAddress, (ulong)memory);
        Volatile.Write(ref record->State, (uint)ConnectionState.Joined);
        Registrations.AddDoorbell(join.Connection + 1);
        // A stream that was ended before the ring came: the reader on the other host, once Ready, believes its end only when it is said here, too.
        if (ReturnMark.IsMirrored(record) && (record->Flags & (uint)ConnectionFlags.SendShutdown) != 0)
        {
            Volatile.Write(ref Block.Outgoing(record)->WriterClosed, 1);
            Doorbell.RingAlways(record);
        }
        return true;
    }

    private static bool TakeDoorbell(in Join join, int descriptor)
    {
        if (!OwnDescriptors.HaveRoomFor(1)) return false;
        int doorbell = OwnDescriptors.Duplicate(descriptor);
        DoorbellState* state = doorbell < 0 ? null : Family.TakeDoorbell(join.Connection);
        if (state == null) { OwnDescriptors.Close(doorbell); return false; }
        Process.Libc->close(descriptor);
        Family.Records[join.Connection].Doorbell = doorbell;
        Family.Records[join.Connection].DoorbellState = (ulong)state;
        return true;
    }

    public static bool IsRing(void* memory, ulong capacity)
    {
        RingBlockHeader* first = (RingBlockHeader*)memory;
        RingBlockHeader* second = (RingBlockHeader*)((byte*)memory + RingLayout.BlockBytes(capacity));
        return first->Magic == RingLayout.Magic && first->Version == RingLayout.Version
            && second->Magic == RingLayout.Magic && second->Version == RingLayout.Version;
    }

    public static bool Fail(ConnectionRecord* record, Reason reason)
    {
        Offering.KeepInKernel(record, reason);
        Volatile.Write(ref record->State, (uint)ConnectionState.Kernel);
        return false;
    }
}
