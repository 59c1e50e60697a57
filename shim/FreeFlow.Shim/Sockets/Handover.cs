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
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Kernel || !ThreadLock.Enter(&record->ReceiveLock)) return;
        int errno = Process.Errno;
        if (Gate.TryClose(&record->ReceiveGate))
        {
            long consumed = KernelCounters.Consumed(fd);
            if (consumed >= 0 && (ulong)consumed == record->KernelReceived)
            {
                record->KernelConsumed = (ulong)consumed;
                Volatile.Write(ref Block.Incoming(record)->Handover, (uint)HandoverState.Ready);
                Gate.Set(&record->ReceiveGate, DirectionPhase.Ready);
            }
            else
            {
                record->Reason = (uint)Reason.BytesOutOfSight;
                Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
            }
        }
        ThreadLock.Exit(&record->ReceiveLock);
        Process.Errno = errno;
    }

    /// <summary>Sender: switches to the ring if the peer's reader is Ready and nobody is inside a kernel send.</summary>
    public static void TrySwitch(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if (Volatile.Read(ref outgoing->Handover) != (uint)HandoverState.Ready || !ThreadLock.Enter(&record->SendLock)) return;
        int errno = Process.Errno;
        bool switched = false;
        if (Gate.TryClose(&record->SendGate))
        {
            long sent = KernelCounters.Sent(fd);
            if (sent < 0 || (ulong)sent != record->KernelSent)
            {
                record->Reason = (uint)Reason.BytesOutOfSight;
                Gate.Set(&record->SendGate, DirectionPhase.Back);
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
    /// Receiver: takes Ready back, for good, if the writer has not switched yet. False if the ring carries bytes already.
    /// </summary>
    public static bool Retract(ConnectionRecord* record)
    {
        if (!ThreadLock.Enter(&record->ReceiveLock)) return false;
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        bool kernel = phase == DirectionPhase.Back
            || (phase == DirectionPhase.Kernel && Gate.TryClose(&record->ReceiveGate))
            || (phase == DirectionPhase.Ready && Interlocked.CompareExchange(ref Block.Incoming(record)->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready) == (uint)HandoverState.Ready);
        if (kernel) Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        ThreadLock.Exit(&record->ReceiveLock);
        return kernel;
    }

    /// <summary>Sender: gives the direction back to the kernel, for good. Caller holds SendLock and the phase is Ring.</summary>
    public static void SendBack(ConnectionRecord* record, Reason reason, int fd = -1)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if (Volatile.Read(ref outgoing->ReaderWantsKernel) != 0 && !IsShutDown(record)) { TakeBack(record, outgoing, reason, fd); return; }
        Volatile.Write(ref outgoing->BackAt, record->SendTail);
        Volatile.Write(ref outgoing->Handover, (uint)HandoverState.Back);
        Gate.Set(&record->SendGate, DirectionPhase.Back);
        Doorbell.NotifyReader(record, outgoing);
        record->Reason = (uint)reason;
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
    }

    private static bool IsShutDown(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0;

    /// <summary>
    /// Sender: the reader has stopped for good and wants what it has not read from the kernel. Those bytes are still in the ring; they go first. Caller
    /// holds SendLock.
    /// </summary>
    private static void TakeBack(ConnectionRecord* record, RingBlockHeader* outgoing, Reason reason, int fd)
    {
        if (fd < 0) fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
        bool whole = RingWriter.Free(record, outgoing) >= 0;
        ulong position = whole ? record->SendHeadSeen : record->SendTail;
        Volatile.Write(ref outgoing->BackAt, position);
        ulong deadline = Process.Now() + TakeBackNanoseconds;
        while (position < record->SendTail && whole)
        {
            byte* bytes = RingWriter.Unread(record, outgoing, position, out nuint length);
            nint sent = Process.FromLibc(Process.Libc->send(fd, bytes, length, Linux.MSG_NOSIGNAL | Linux.MSG_DONTWAIT));
            if (sent > 0)
            {
                position += (ulong)sent;
                Interlocked.Add(ref record->KernelSent, (ulong)sent);
                continue;
            }
            PollDescriptor wait = new() { Descriptor = fd, Events = Linux.POLLOUT };
            whole = sent is -Linux.EAGAIN or -Linux.EINTR && Process.Now() < deadline && Process.Libc->poll(&wait, 1, TakeBackPollMilliseconds) >= 0;
        }
        // Bytes that neither road takes any more: the kernel tells both ends, rather than that some are missing.
        if (!whole) Process.Libc->shutdown(fd, Linux.SHUT_RDWR);
        Volatile.Write(ref outgoing->Handover, (uint)HandoverState.Back);
        Gate.Set(&record->SendGate, DirectionPhase.Back);
        record->Reason = (uint)reason;
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
    }

    /// <summary>
    /// Receiver: stops reading the ring and asks the peer to send what is unread through the kernel; waits a little for it. The peer answers inside its next
    /// interposed call on the connection, or when its doorbell wakes it.
    /// </summary>
    public static void AskBack(ConnectionRecord* record)
    {
        if (!ThreadLock.Enter(&record->ReceiveLock)) return;
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready && Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring) TakeUpRing(record, incoming);
        bool asks = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring
            && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring;
        if (asks)
        {
            Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.WantsKernel);
            Interlocked.Exchange(ref incoming->ReaderWantsKernel, 1);
            Doorbell.RingAlways(record);
        }
        ThreadLock.Exit(&record->ReceiveLock);
        ulong deadline = Process.Now() + AskBackNanoseconds;
        while (asks && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring
            && Volatile.Read(ref incoming->WriterClosed) == 0 && Process.Now() < deadline) Process.Libc->poll(null, 0, 1);
    }

    /// <summary>Sender: answers the peer's request, if there is one; true if the direction went back. Called where a doorbell has woken this end.</summary>
    public static bool AnswerRequest(ConnectionRecord* record, int fd = -1)
    {
        if (record->RingAddress == 0 || Gate.Phase(&record->SendGate) != DirectionPhase.Ring || IsShutDown(record)) return false;
        if (Volatile.Read(ref Block.Outgoing(record)->ReaderWantsKernel) == 0 || !ThreadLock.Enter(&record->SendLock)) return false;
        bool back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
        if (back) SendBack(record, Reason.DescriptorPassed, fd);
        ThreadLock.Exit(&record->SendLock);
        return back;
    }

    private const ulong TakeBackNanoseconds = 2_000_000_000;
    private const int TakeBackPollMilliseconds = 10;
    private const ulong AskBackNanoseconds = 1_000_000_000;

    /// <summary>Receiver: the ring is empty and the writer has gone back. False if it names another position. Caller holds ReceiveLock.</summary>
    public static bool TakeUpKernel(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        // A writer that was asked to may have taken back bytes this end had not read; it never skips any.
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
        RingBlockHeader* incoming = Block.Incoming(record), outgoing = Block.Outgoing(record);
        AnswerRequest(record, fd);
        if (Gate.Phase(&record->ReceiveGate) is DirectionPhase.Ready or DirectionPhase.Ring)
        {
            // A writer that has not switched yet must not any more.
            Interlocked.CompareExchange(ref incoming->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready);
            if (Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring && Volatile.Read(ref incoming->Tail) != record->ReceiveHead)
            {
                ulong reset = 1;   // struct linger { l_onoff = 1, l_linger = 0 }
                Process.Libc->setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, &reset, sizeof(ulong));
            }
        }
        Volatile.Write(ref incoming->ReaderClosed, 1);
        Doorbell.NotifyWriter(record, incoming);
        Volatile.Write(ref outgoing->WriterClosed, 1);
        Doorbell.NotifyReader(record, outgoing);
    }

    private static void EnterRing(ConnectionRecord* record) =>
        Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.RingSharedMemory, (uint)ConnectionState.Joined);
}
