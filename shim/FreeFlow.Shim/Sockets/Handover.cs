using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Moves a direction from the kernel into the ring and back, by stream offset (design, principle 2). Follows <c>shim/models/handover.pml</c>: the reader
/// announces Ready, the writer closes its gate, publishes SwitchAt and only then Ring; back, it publishes BackAt and only then Back.
/// </summary>
internal static unsafe class Handover
{
    /// <summary>
    /// Receiver: from now on this end looks into the ring too. Only while nobody is inside a kernel receive, and only if the kernel's own count of
    /// bytes read agrees with the shim's: otherwise somebody reads this socket by a road the shim cannot see.
    /// </summary>
    public static void AnnounceReady(int fd, ConnectionRecord* record)
    {
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Kernel || IsShutBothWays(record) || Reattachment.IsWayLost(record) || !ThreadLock.Enter(&record->ReceiveLock)) return;
        int errno = Process.Errno;
        if (Gate.TryClose(&record->ReceiveGate))
        {
            long consumed = KernelCounters.Consumed(fd);
            if (consumed >= 0 && (ulong)consumed == record->KernelReceived)
            {
                record->KernelConsumed = (ulong)consumed;
                BufferSizes.TellWriter(fd, record);
                Volatile.Write(ref Block.Incoming(record)->Handover, (uint)HandoverState.Ready);
                Gate.Set(&record->ReceiveGate, DirectionPhase.Ready);
                // The router of a mirrored ring tells the other host.
                if (ReturnMark.IsMirrored(record)) Doorbell.RingAlways(record);
            }
            else
            {
                record->Reason = (uint)Reason.BytesOutOfSight;
                Strictness.FellBack(record, Reason.BytesOutOfSight);
                Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
            }
        }
        ThreadLock.Exit(&record->ReceiveLock);
        Process.Errno = errno;
    }

    public static bool IsShutBothWays(ConnectionRecord* record)
    {
        const uint both = (uint)(ConnectionFlags.SendShutdown | ConnectionFlags.ReceiveShutdown);
        return (Volatile.Read(ref record->Flags) & both) == both;
    }

    /// <summary>
    /// Receiver: this end is shut both ways, and what the peer sends from now on the kernel answers with a reset. So it must go there; what is in the
    /// ring already can still be read.
    /// </summary>
    public static void RefuseInput(ConnectionRecord* record)
    {
        if (record->RingAddress == 0 || Retract(record)) return;
        RingBlockHeader* incoming = Block.Incoming(record);
        bool mirrored = ReturnMark.IsMirrored(record);
        Volatile.Write(ref incoming->ReaderClosed, mirrored ? RingBlockHeader.ReaderReadsOn : RingBlockHeader.ReaderGone);
        // A router in the writer's place sleeps on other words.
        if (mirrored) Doorbell.RingAlways(record);
        else Doorbell.NotifyWriter(record, incoming);
    }

    /// <summary>Sender: switches to the ring if the peer's reader is Ready and nobody is inside a kernel send.</summary>
    public static void TrySwitch(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if (Volatile.Read(ref outgoing->Handover) != (uint)HandoverState.Ready || Volatile.Read(ref outgoing->ReaderClosed) != 0 || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.KernelOnly) != 0 || !ThreadLock.Enter(&record->SendLock)) return;
        int errno = Process.Errno;
        bool switched = false;
        // Looked at once more: who keeps a connection in the kernel takes the lock afterwards, and knows then.
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.KernelOnly) == 0 && Gate.TryClose(&record->SendGate))
        {
            long sent = KernelCounters.Sent(fd);
            if (sent < 0 || (ulong)sent != record->KernelSent)
            {
                record->Reason = (uint)Reason.BytesOutOfSight;
                Strictness.FellBack(record, Reason.BytesOutOfSight);
                Gate.Set(&record->SendGate, ReturnMark.IsMirrored(record) ? DirectionPhase.Kernel : DirectionPhase.Back);
                if (ReturnMark.IsMirrored(record)) Offering.KeepInKernel(record, Reason.BytesOutOfSight);
            }
            else
            {
                Volatile.Write(ref outgoing->SwitchAt, (ulong)sent);
                switched = Interlocked.CompareExchange(ref outgoing->Handover, (uint)HandoverState.Ring, (uint)HandoverState.Ready) == (uint)HandoverState.Ready;
                Gate.Set(&record->SendGate, switched ? DirectionPhase.Ring : DirectionPhase.Kernel);
            }
        }
        ThreadLock.Exit(&record->SendLock);
        if (switched)
        {
            BufferSizes.LimitSender(fd, record);
            EnterRing(record);
            Registrations.Refresh(Connections.IndexOf(record) + 1);
        }
        Process.Errno = errno;
    }

    /// <summary>Receiver: takes up the switch the writer has published. False if the writer's numbers are impossible. Caller holds ReceiveLock.</summary>
    public static bool TakeUpRing(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        ulong switchAt = Volatile.Read(ref incoming->SwitchAt);
        if (switchAt < record->KernelConsumed) return false;
        record->ReceiveSwitchAt = switchAt;
        Gate.Set(&record->ReceiveGate, DirectionPhase.Ring);
        EnterRing(record);
        return true;
    }

    /// <summary>
    /// Receiver: takes Ready back, for good, if the writer has not switched yet. False if the ring carries bytes already, or may: between two hosts no word
    /// changes on both sides at once.
    /// </summary>
    public static bool Retract(ConnectionRecord* record)
    {
        if (!ThreadLock.Enter(&record->ReceiveLock)) return false;
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        bool kernel = phase == DirectionPhase.Back
            || (phase == DirectionPhase.Kernel && Gate.TryClose(&record->ReceiveGate))
            || (phase == DirectionPhase.Ready && !ReturnMark.IsMirrored(record) && Interlocked.CompareExchange(ref Block.Incoming(record)->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready) == (uint)HandoverState.Ready);
        if (kernel) Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        ThreadLock.Exit(&record->ReceiveLock);
        return kernel;
    }

    /// <summary>Sender: gives the direction back to the kernel, for good. Caller holds SendLock and the phase is Ring.</summary>
    public static void SendBack(ConnectionRecord* record, Reason reason, int fd = -1)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        record->Reason = (uint)reason;
        Strictness.FellBack(record, reason);
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
        if (ReturnMark.IsMirrored(record)) { SendReturn.Begin(record, outgoing, fd); return; }
        if (!Recall.TakeUp(record, outgoing, fd)) Volatile.Write(ref outgoing->BackAt, record->SendTail);
        Volatile.Write(ref outgoing->Handover, (uint)HandoverState.Back);
        Gate.Set(&record->SendGate, DirectionPhase.Back);
        Doorbell.NotifyReader(record, outgoing);
    }

    /// <summary>Receiver: the ring is empty and the writer has gone back. False if it names another position. Caller holds ReceiveLock.</summary>
    public static bool TakeUpKernel(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        // A writer that was asked to may have taken back bytes this end had not read; it never skips any.
        if (ReturnMark.IsMirrored(record))
        {
            if (!ReceiveReturn.IsTaken(record)) return false;
            Gate.Set(&record->ReceiveGate, DirectionPhase.Returning);
            return true;
        }
        if (Volatile.Read(ref incoming->BackAt) != record->ReceiveHead) return false;
        Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
        if (record->Reason == (uint)Reason.None) record->Reason = (uint)Reason.PeerClosed;
        return true;
    }

    /// <summary>
    /// Before the family's last close(2): tells the peer that nobody reads or writes here any more. The end of stream itself goes by the kernel; if
    /// bytes are left unread, as a reset, as tcp(7) has it.
    /// </summary>
    public static void AnnounceClose(int fd, ConnectionRecord* record)
    {
        if (ReturnMark.IsMirrored(record)) { MirroredClose.Announce(fd, record); return; }
        RingBlockHeader* incoming = Block.Incoming(record), outgoing = Block.Outgoing(record);
        Recall.Answer(record, fd);
        if (Gate.Phase(&record->ReceiveGate) is DirectionPhase.Ready or DirectionPhase.Ring)
        {
            // A writer that has not switched yet must not any more.
            Interlocked.CompareExchange(ref incoming->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready);
            if (Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring && Volatile.Read(ref incoming->Tail) != record->ReceiveHead)
                Linger.ResetAtClose(fd);
        }
        Volatile.Write(ref incoming->ReaderClosed, RingBlockHeader.ReaderGone);
        Doorbell.NotifyWriter(record, incoming);
        RingWriter.NoteEnd(outgoing);
        Doorbell.NotifyReader(record, outgoing);
    }

    private static void EnterRing(ConnectionRecord* record) => Interlocked.CompareExchange(
        ref record->State, (uint)(ReturnMark.IsMirrored(record) ? ConnectionState.RingFabric : ConnectionState.RingSharedMemory), (uint)ConnectionState.Joined);
}
