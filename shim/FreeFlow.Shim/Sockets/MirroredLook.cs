using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What the kernel says of a mirrored connection's input before a program is told: marks, and bytes that were read from the ring already, are none, and an end of
/// stream only counts once the ring is known to be whole (docs/fabric.md).
/// </summary>
internal static unsafe class MirroredLook
{
    private const uint Input = Linux.EPOLLIN | Linux.EPOLLRDNORM | Linux.EPOLLRDHUP;

    /// <summary>The kernel's readiness (poll(2) and epoll(7) have the same bits) without what is no input to the program.</summary>
    public static uint Filter(int fd, ConnectionRecord* record, uint bits)
    {
        if (!ReturnMark.IsMirrored(record) || (bits & Input) == 0 || !IsWatched(record) || !ThreadLock.Enter(&record->ReceiveLock)) return bits;
        int errno = Process.Errno;
        bool real = IsInput(fd, record);
        if (!real && !IsWatched(record))
        {
            // Through: what is left is plain.
            PollDescriptor look = new() { Descriptor = fd, Events = (short)Input };
            real = Process.Libc->poll(&look, 1, 0) > 0;
            if (real) bits = (bits & ~Input) | (bits & (ushort)look.Returned);
        }
        Process.Errno = errno;
        ThreadLock.Exit(&record->ReceiveLock);
        // Behind the mark the kernel's end of stream is the sender's.
        uint hidden = ReceiveReturn.IsTaken(record) ? Input & ~(uint)Linux.EPOLLRDHUP : Input;
        return real ? bits : bits & ~hidden;
    }

    /// <summary>FIONREAD: the kernel's bytes without those that a receive would not deliver.</summary>
    public static int KernelBytes(int fd, ConnectionRecord* record, int count)
    {
        if (!ReturnMark.IsMirrored(record) || count <= 0 || !IsWatched(record) || !ThreadLock.Enter(&record->ReceiveLock)) return count;
        int errno = Process.Errno;
        _ = IsInput(fd, record);
        int waiting = 0;
        Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting);
        nint most = Gate.Phase(&record->ReceiveGate) switch
        {
            DirectionPhase.Ready => ReceiveReturn.ScanAll(fd, record, (nuint)waiting, out _),
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
        _ = IsInput(fd, record, weighsNews: false);
        Process.Errno = errno;
        ThreadLock.Exit(&record->ReceiveLock);
    }

    private static bool IsWatched(ConnectionRecord* record) =>
        Volatile.Read(ref record->RingAddress) != 0 && Gate.Phase(&record->ReceiveGate) is DirectionPhase.Ready or DirectionPhase.Ring or DirectionPhase.Returning;

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
