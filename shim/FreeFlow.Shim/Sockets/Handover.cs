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
                if (record->Reason == (uint)Reason.AnotherRoad) record->Reason = (uint)Reason.None;
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
        Volatile.Write(ref incoming->ReaderClosed, RingBlockHeader.ReaderReadsOn);
        // A router in the writer's place sleeps on other words.
        if (mirrored) Doorbell.RingAlways(record);
        else Doorbell.NotifyWriter(record, incoming);
    }

    /// <summary>Sender: switches to the ring if the peer's reader is Ready and nobody is inside a kernel send.</summary>
    public static void TrySwitch(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if (Volatile.Read(ref outgoing->Handover) != (uint)HandoverState.Ready || Volatile.Read(ref outgoing->ReaderClosed) != 0
            || Volatile.Read(ref outgoing->ReaderWantsKernel) >= (uint)RecallState.Unheard || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.KernelOnly) != 0 || !ThreadLock.Enter(&record->SendLock)) return;
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
        SendReturn.Begin(record, outgoing, fd, leaves: !ReturnMark.IsMirrored(record) && LeavesUnread(record, outgoing, reason, fd));
    }

    /// <summary>
    /// Sender that ends its stream: what is unread goes into the kernel as far as it takes it, so that whoever goes on with the connection, this program or another, finds it
    /// there. True if it has left the ring.
    /// </summary>
    /// <param name="record">The connection.</param>
    /// <param name="fd">Its descriptor, or −1.</param>
    /// <param name="waits">The caller waits for the kernel to take all of it.</param>
    public static bool EndStream(ConnectionRecord* record, int fd, bool waits = false)
    {
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring || !ThreadLock.Enter(&record->SendLock)) return false;
        bool back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
        if (back) SendReturn.Begin(record, Block.Outgoing(record), fd);
        if (back && !waits) SendReturn.StopUnlessWanted(record);
        ThreadLock.Exit(&record->SendLock);
        return back;
    }

    /// <summary>
    /// What is unread may stay in a shared ring, where its reader finds it without a second copy, while nobody has asked for it by the kernel. If another program goes on with
    /// this end, or the peer has ended its own stream, it may be the last chance to bring it there: taken if the kernel has room for all of it now.
    /// </summary>
    private static bool LeavesUnread(ConnectionRecord* record, RingBlockHeader* outgoing, Reason reason, int fd)
    {
        if (Volatile.Read(ref outgoing->ReaderWantsKernel) != (uint)RecallState.None) return false;
        if (RingWriter.Free(record, outgoing) < 0) return true;
        ulong unread = record->SendTail - record->SendHeadSeen;
        if (unread == 0) return false;
        if (fd < 0) fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
        return reason is not (Reason.Exec or Reason.DescriptorPassed or Reason.AnotherRoad or Reason.PeerClosed) || fd < 0 || !BufferSizes.HasRoomFor(fd, unread);
    }

    /// <summary>
    /// Receiver: the writer has gone back, and this end reads the ring no further; what it has read there behind <c>BackAt</c> comes by the kernel once more, and is dropped.
    /// False if there are bytes that only the ring has, or the writer's numbers are impossible. Caller holds ReceiveLock.
    /// </summary>
    public static bool TakeUpKernel(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (ReturnMark.IsMirrored(record))
        {
            if (!ReceiveReturn.IsTaken(record)) return false;
            Gate.Set(&record->ReceiveGate, DirectionPhase.Returning);
            return true;
        }
        if (!ReceiveReturn.TakeShared(record, incoming)) return false;
        bool unheard = Volatile.Read(ref incoming->ReaderWantsKernel) >= (uint)RecallState.Unheard;
        // A writer that sleeps until there is room in the ring goes on in the kernel.
        if (unheard) Doorbell.RingAlways(record);
        // A stream that has ended was not handed back: there is nothing more to carry.
        if (Volatile.Read(ref incoming->WriterClosed) != 0) return true;
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
        if (record->Reason == (uint)Reason.None) record->Reason = (uint)(unheard ? Reason.ReadinessOutOfSight : Reason.PeerClosed);
        return true;
    }

    /// <summary>
    /// Before the family's last close(2): tells the peer that nobody reads or writes here any more. What it has not read goes by the kernel, and the end of stream behind
    /// it; if bytes are left unread here, as a reset, as tcp(7) has it.
    /// </summary>
    /// <param name="fd">The connection's, or −1 if the number stands for something else already.</param>
    /// <param name="record">The connection.</param>
    /// <param name="exits">The process ends: it waits for nothing (SO_LINGER means close(2)).</param>
    public static void AnnounceClose(int fd, ConnectionRecord* record, bool exits = false)
    {
        if (ReturnMark.IsMirrored(record)) { MirroredClose.Announce(fd, record, exits); return; }
        RingBlockHeader* incoming = Block.Incoming(record), outgoing = Block.Outgoing(record);
        // A writer that has not switched yet must not any more.
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready) Interlocked.CompareExchange(ref incoming->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready);
        // Before a writer that sleeps is woken: what it sends then must find that nobody will read it.
        bool reset = ResetIfUnread(fd, record);
        Interlocked.Exchange(ref incoming->ReaderClosed, RingBlockHeader.ReaderGone);
        if (fd >= 0 && !reset) MirroredLook.TakeBeforeClose(fd, record);
        // A writer that had not seen it yet may have put something in meanwhile.
        reset = reset || ResetIfUnread(fd, record);
        Doorbell.NotifyWriter(record, incoming);
        if (fd >= 0 && !reset)
        {
            bool unread = SendReturn.IsUnderWay(record) || (Gate.Phase(&record->SendGate) == DirectionPhase.Ring && Volatile.Read(ref outgoing->Head) != record->SendTail);
            Linger linger = unread && !exits ? Linger.Of(fd) : default;
            _ = EndStream(record, fd, waits: linger.On != 0 && linger.Seconds != 0);
            // A close that resets drops what has not been sent.
            bool resets = linger.IsReset || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.Dissolved) != 0;
            if (SendReturn.IsUnderWay(record) && !resets) ReturnFinisher.AwaitOrStart(fd, record, linger);
        }
        RingWriter.NoteEnd(outgoing);
        Doorbell.NotifyReader(record, outgoing);
    }

    /// <summary>Resets the connection, as the kernel does for bytes that nobody has read (tcp(7)); false if all that is in the ring was read.</summary>
    private static bool ResetIfUnread(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        if (fd < 0 || Gate.Phase(&record->ReceiveGate) is not (DirectionPhase.Ready or DirectionPhase.Ring)) return false;
        if (Volatile.Read(ref incoming->Handover) < (uint)HandoverState.Ring || Volatile.Read(ref incoming->Tail) == record->ReceiveHead) return false;
        Linger.ResetAtClose(fd);
        KernelEnd.Reset(fd);
        return true;
    }

    private static void EnterRing(ConnectionRecord* record) => Interlocked.CompareExchange(
        ref record->State, (uint)(ReturnMark.IsMirrored(record) ? ConnectionState.RingFabric : ConnectionState.RingSharedMemory), (uint)ConnectionState.Joined);
}
