using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Puts a new mirrored ring in the place of a detached connection's dead one: at the same address, behind the same doorbell's number. So whatever another thread of the
/// process has looked up before stays valid, and means the new ring. Callers hold the lock of <see cref="Connections"/>.
/// </summary>
internal static unsafe class Rejoining
{
    private enum Outcome { Taken, Later, NoMemory }

    /// <summary>True if the ring is taken; both descriptors are the caller's to close, or are closed here if it is.</summary>
    public static bool Take(in Join join, int* descriptors)
    {
        ConnectionRecord* record = Family.Records + join.Connection;
        if (Reattachment.IsBarred(record)) return Joining.Fail(record, Reason.PeerClosed);
        // The place has the size it has: a router that makes other rings now cannot be served.
        if (join.Mate != 0 || join.Side != 0 || join.Capacity != record->Capacity) return Joining.Fail(record, Reason.MemoryLimit);
        if (!IsMirroredRing(descriptors[0], join.Capacity)) return Joining.Fail(record, Reason.CorruptRing);
        Registrations.RemoveDoorbell(join.Connection + 1);
        Outcome outcome = Outcome.Later;
        if (ThreadLock.Enter(&record->SendLock))
        {
            if (ThreadLock.Enter(&record->ReceiveLock))
            {
                outcome = Replace(join, record, descriptors);
                ThreadLock.Exit(&record->ReceiveLock);
            }
            ThreadLock.Exit(&record->SendLock);
        }
        Registrations.ReturnDoorbell(join.Connection + 1);
        if (outcome == Outcome.Later) Reattachment.Postpone(record);
        if (outcome == Outcome.NoMemory) return Joining.Fail(record, Reason.MemoryLimit);
        if (outcome != Outcome.Taken) return false;
        Process.Libc->close(descriptors[1]);
        // A stream that was ended while the ring came, as in Joining.
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0)
        {
            Volatile.Write(ref Block.Outgoing(record)->WriterClosed, 1);
            Doorbell.RingAlways(record);
        }
        return true;
    }

    private static bool IsMirroredRing(int memory, ulong capacity)
    {
        nuint bytes = Block.MappedBytes(capacity);
        void* look = Process.Libc->mmap(null, bytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, memory, 0);
        if ((nint)look == -1) return false;
        bool good = Joining.IsRing(look, capacity) && ReturnMark.IsIn((RingBlockHeader*)look);
        Process.Libc->munmap(look, bytes);
        return good;
    }

    /// <summary>Caller holds both directions' locks.</summary>
    private static Outcome Replace(in Join join, ConnectionRecord* record, int* descriptors)
    {
        RingBlockHeader* dead = Block.Incoming(record);
        // The other end has returned for good before it offered: with every mark found there is none to come, and what this end was Ready for never began.
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready && join.MarksToFind == record->MarksFound
            && Interlocked.CompareExchange(ref dead->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready) is (uint)HandoverState.Ready or (uint)HandoverState.Kernel)
            Gate.Set(&record->ReceiveGate, DirectionPhase.Kernel);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back) _ = Gate.TryReopen(&record->ReceiveGate);
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Kernel || Gate.Phase(&record->SendGate) != DirectionPhase.Kernel) return Outcome.Later;
        if (join.MarksToFind != record->MarksFound) return Outcome.Later;
        // Who sleeps on the dead doorbell would not hear the new one.
        if (!Doorbell.TryHold(record)) return Outcome.Later;
        nuint bytes = Block.MappedBytes(record->Capacity);
        void* place = (void*)record->RingAddress;
        bool mapped = Process.Libc->mmap(place, bytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED | Linux.MAP_FIXED, descriptors[0], 0) == place;
        if (mapped)
        {
            Process.Libc->dup3(descriptors[1], record->Doorbell, Linux.SOCK_CLOEXEC);
            Forget(record);
        }
        Doorbell.Unhold(record);
        return mapped ? Outcome.Taken : Outcome.NoMemory;
    }

    /// <summary>All that was said of the dead ring.</summary>
    private static void Forget(ConnectionRecord* record)
    {
        const uint flags = (uint)(ConnectionFlags.Detached | ConnectionFlags.DoorbellGone | ConnectionFlags.MarkTaken | ConnectionFlags.EndHeld | ConnectionFlags.Grown);
        record->EarlierSent += record->SendTail;
        record->EarlierReceived += record->ReceiveHead;
        record->SendTail = record->SendBase = record->SendHeadSeen = 0;
        record->SendReturnFrom = record->SendReturned = 0;
        record->SendWindow = (uint)record->Capacity;
        record->ReceiveHead = record->ReceiveSwitchAt = 0;
        record->ReceiveReturnNext = record->ReceiveReturnEnd = record->ReceiveBackAt = 0;
        record->ReceiveMarkBytes = 0;
        record->SendsUnread = record->EmptyReads = 0;
        record->Messages = 0;
        record->Reason = (uint)Reason.None;
        record->JoinedAt = Process.Now();
        Volatile.Write(ref record->State, (uint)ConnectionState.Joined);
        Interlocked.And(ref record->Flags, ~flags);
    }
}
