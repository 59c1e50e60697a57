using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What the kernel says of a connection's input before a program is told: bytes that were read from the ring already are none. In a mirrored ring a mark is none either, and
/// an end of stream only counts once the ring is known to be whole (docs/fabric.md).
/// </summary>
internal static unsafe class MirroredLook
{
    private const uint Input = Linux.EPOLLIN | Linux.EPOLLRDNORM | Linux.EPOLLRDHUP;

    /// <summary>The kernel's readiness (poll(2) and epoll(7) have the same bits) without what is no input to the program.</summary>
    public static uint Filter(int fd, ConnectionRecord* record, uint bits)
    {
        if ((bits & Input) == 0 || !IsWatched(record) || !ThreadLock.Enter(&record->ReceiveLock)) return bits;
        int errno = Process.Errno;
        bool shared = !ReturnMark.IsMirrored(record), real = shared ? IsInputBehindShared(fd, record) : IsInput(fd, record);
        if (!real && !IsWatched(record))
        {
            // Through: what is left is plain.
            PollDescriptor look = new() { Descriptor = fd, Events = (short)Input };
            real = Process.Libc->poll(&look, 1, 0) > 0;
            if (real) bits = (bits & ~Input) | (bits & (ushort)look.Returned);
        }
        Process.Errno = errno;
        ThreadLock.Exit(&record->ReceiveLock);
        // Where both ends share the ring, and behind a mark, the kernel's end of stream is the sender's.
        if (shared && (bits & Linux.EPOLLRDHUP) != 0) return bits;
        uint hidden = shared || ReceiveReturn.IsTaken(record) ? Input & ~(uint)Linux.EPOLLRDHUP : Input;
        return real ? bits : bits & ~hidden;
    }

    /// <summary>FIONREAD: the kernel's bytes without those that a receive would not deliver.</summary>
    public static int KernelBytes(int fd, ConnectionRecord* record, int count)
    {
        if (count <= 0 || !IsWatched(record) || !ThreadLock.Enter(&record->ReceiveLock)) return count;
        int errno = Process.Errno;
        bool shared = !ReturnMark.IsMirrored(record);
        _ = shared ? IsInputBehindShared(fd, record) : IsInput(fd, record);
        int waiting = 0;
        Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting);
        nint most = Gate.Phase(&record->ReceiveGate) switch
        {
            DirectionPhase.Ready => ReceiveReturn.ScanAll(fd, record, (nuint)waiting, out _),
            DirectionPhase.Ring when shared => waiting - (nint)Duplicates(record),
            DirectionPhase.Ring => record->ReceiveSwitchAt > record->KernelConsumed ? (nint)(record->ReceiveSwitchAt - record->KernelConsumed) : 0,
            DirectionPhase.Returning => record->ReceiveReturnNext < record->ReceiveBackAt ? 0 : ReceiveReturn.Unbounded,
            _ => ReceiveReturn.Unbounded,
        };
        Process.Errno = errno;
        ThreadLock.Exit(&record->ReceiveLock);
        return most <= 0 ? 0 : most < waiting ? (int)most : waiting;
    }

    /// <summary>
    /// Before the last close(2): a mark that has come, and what behind it was read from the ring already, is nothing that the program has left unread. The kernel would
    /// answer the close with a reset for it, and drop what it has not sent yet.
    /// </summary>
    public static void TakeBeforeClose(int fd, ConnectionRecord* record)
    {
        if (!IsWatched(record) || !ThreadLock.Enter(&record->ReceiveLock)) return;
        int errno = Process.Errno;
        if (ReturnMark.IsMirrored(record)) _ = IsInput(fd, record, weighsNews: false);
        else
        {
            // A sender that has not seen this end close is about to give them to the kernel.
            ulong start = Process.Now(), deadline = start + Stall.Allow(MomentNanoseconds);
            while (!IsInputBehindShared(fd, record) && IsStillComing(record) && Process.Now() < deadline) Process.Libc->sched_yield();
            Stall.Spent(start);
        }
        Process.Errno = errno;
        ThreadLock.Exit(&record->ReceiveLock);
    }

    private const ulong MomentNanoseconds = 10_000_000;

    /// <summary>Bytes that were read from a shared ring are still to come by the kernel, from a sender that is at it.</summary>
    private static bool IsStillComing(ConnectionRecord* record) =>
        Gate.Phase(&record->ReceiveGate) == DirectionPhase.Returning && record->ReceiveReturnNext < record->ReceiveBackAt
        && Volatile.Read(ref Block.Incoming(record)->Returner) is (uint)ReturnerState.Writer or (uint)ReturnerState.Router or (uint)ReturnerState.Paused;

    private static bool IsWatched(ConnectionRecord* record)
    {
        if (Volatile.Read(ref record->RingAddress) == 0) return false;
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        return phase == DirectionPhase.Returning || (ReturnMark.IsMirrored(record) ? phase is DirectionPhase.Ready or DirectionPhase.Ring
            : phase is DirectionPhase.Ready or DirectionPhase.Ring && Volatile.Read(ref Block.Incoming(record)->Handover) == (uint)HandoverState.Back);
    }

    /// <summary>What the kernel has, or gets, of the bytes that are in a shared ring, too: none if they were left there.</summary>
    private static ulong Duplicates(ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        ulong bytes = Volatile.Read(ref incoming->Tail) - Volatile.Read(ref incoming->BackAt);
        return bytes <= record->Capacity && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back ? bytes : 0;
    }

    /// <summary>
    /// A shared ring whose writer is Back. Takes the steps that are due; true if the kernel has bytes that a receive would answer now. An end of stream is for the caller to
    /// see.
    /// </summary>
    private static bool IsInputBehindShared(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        int waiting = 0;
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready && !Handover.TakeUpRing(record, incoming)) return true;
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring)
        {
            if (record->KernelConsumed < record->ReceiveSwitchAt) return true;
            if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0) _ = Recall.Settle(record, incoming);
            else if (RingReader.Available(record, incoming) == 0 || Recall.IsUnheard(record, incoming)) _ = Handover.TakeUpKernel(record, incoming);
        }
        switch (Gate.Phase(&record->ReceiveGate))
        {
            case DirectionPhase.Ring:
                Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting);
                return (ulong)waiting > Duplicates(record);

            case DirectionPhase.Returning:
                nint left = ReceiveReturn.Drop(fd, record);
                // The kernel tells an error once: the next call's.
                if (left is < 0 and not -Linux.EAGAIN) record->PendingError = (int)-left;
                // An end that leaves nothing out is plain.
                if (left == 0 && !ReceiveReturn.IsCutShort(record)) Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
                if (left <= 0) return left != -Linux.EAGAIN && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Returning;
                if (left == ReceiveReturn.Unbounded) return false;
                return Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting) == 0 && waiting > 0;

            default:
                return false;
        }
    }

    /// <summary>Takes the steps that are due; true if the kernel has something that a receive would answer now: bytes, the end of the stream, or an error.</summary>
    private static bool IsInput(int fd, ConnectionRecord* record, bool weighsNews = true)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        while (true)
        {
            nint found;
            switch (Gate.Phase(&record->ReceiveGate))
            {
                case DirectionPhase.Ready:
                    if (Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring)
                    {
                        if (!Handover.TakeUpRing(record, incoming)) return true;
                        continue;
                    }
                    found = ReceiveReturn.Scan(fd, record, 1, out bool marked);
                    if (found == 0 && marked)
                    {
                        if (ReceiveReturn.TakeWhileReady(fd, record, incoming) != ReceiveReturn.Taken) return true;
                        continue;
                    }
                    return found > 0 || !weighsNews || IsNews(record, incoming, found);

                case DirectionPhase.Ring:
                    if (record->KernelConsumed < record->ReceiveSwitchAt) return true;
                    found = ReceiveReturn.Take(fd, record, incoming, stop: false);
                    if (found != ReceiveReturn.Taken) return !weighsNews || (found == ReceiveReturn.Broken ? IsBroken(record) : IsNews(record, incoming, found));
                    if (RingReader.Available(record, incoming) != 0) return false;
                    Gate.Set(&record->ReceiveGate, DirectionPhase.Returning);
                    continue;

                case DirectionPhase.Returning:
                    found = ReceiveReturn.Drop(fd, record);
                    if (found == ReceiveReturn.Unbounded) return false;
                    if (found <= 0) return found != -Linux.EAGAIN;
                    PollDescriptor look = new() { Descriptor = fd, Events = Linux.POLLIN };
                    return Process.Libc->poll(&look, 1, 0) > 0;

                default:
                    return false;
            }
        }
    }

    /// <summary>After 0 or a negative errno from the kernel.</summary>
    private static bool IsNews(ConnectionRecord* record, RingBlockHeader* incoming, nint found)
    {
        if (found == -Linux.EAGAIN) return false;
        Volatile.Write(ref record->KernelAttention, 1);
        if (found < 0)
        {
            // Told once by the kernel: the next call tells it.
            record->PendingError = (int)-found;
            return true;
        }
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ReceiveShutdown) != 0 || Volatile.Read(ref incoming->WriterClosed) != 0) return true;
        return ReceiveReturn.Verdict(record, incoming) is not (-Linux.EAGAIN or ReceiveReturn.Taken);
    }

    /// <summary>What comes here is no mark: the next receive finds it again, and resets the connection.</summary>
    private static bool IsBroken(ConnectionRecord* record)
    {
        record->ReceiveMarkBytes = 0;
        record->ReceiveReturnEnd = 0;
        Volatile.Write(ref record->KernelAttention, 1);
        record->PendingError = Linux.ECONNRESET;
        return true;
    }
}
