using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Writes ring memory straight into a pipe, for splice(2).</summary>
internal static unsafe class RingEmptier
{
    private const uint NonBlock = 2;   // SPLICE_F_NONBLOCK: the lock is held

    /// <summary>Moves up to <paramref name="count"/> bytes; the bytes moved, 0 at end of stream, or a negative errno.</summary>
    public static nint Splice(int fd, ConnectionRecord* record, int target, nuint count, uint spliceFlags, bool dontWait)
    {
        if (Receiver.EnterKernel(fd, record))
        {
            // One call to the end: the socket may be closed by another thread while it sleeps.
            nint spliced = Process.FromLibc(Process.Libc->splice(fd, null, target, null, count, spliceFlags));
            if (spliced > 0) Interlocked.Add(ref record->KernelReceived, (ulong)spliced);
            Receiver.LeaveKernel(fd, record, spliced);
            return spliced;
        }
        nint moved = FromRing(fd, record, target, count, spliceFlags, dontWait);
        Orphans.Release(record);
        return moved;
    }

    private static nint FromRing(int fd, ConnectionRecord* record, int target, nuint count, uint spliceFlags, bool dontWait)
    {
        int writable = PipeEnd.Wait(target, Linux.POLLOUT, dontWait);
        if (writable < 0) return writable;
        // A look at one byte takes every step that is due, waits if the socket blocks, and finds end of stream and errors.
        byte one;
        IoVector vector = new() { Base = &one, Length = 1 };
        MessageHeader look = new() { Vectors = &vector, VectorCount = 1 };
        nint ready = Receiver.Receive(fd, record, &look, Linux.MSG_PEEK, keep: true);
        if (ready <= 0) return ready;
        fd = Orphans.Reach(record, fd);
        if (fd < 0) return -Linux.EBADF;
        if (!ThreadLock.Enter(&record->ReceiveLock)) return -Linux.EAGAIN;
        nint moved;
        RingBlockHeader* incoming = Block.Incoming(record);
        bool ring = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && record->KernelConsumed >= record->ReceiveSwitchAt;
        if (ring)
        {
            long available = RingReader.Available(record, incoming);
            byte* source = RingReader.Peek(record, incoming, record->ReceiveHead, available > 0 ? (ulong)available : 0, out nuint length);
            moved = length == 0 ? -Linux.EAGAIN : PipeEnd.Write(target, source, length < count ? length : count);
            if (moved > 0) RingReader.Release(record, incoming, (nuint)moved);
        }
        else
        {
            nuint bound = MirroredReceiver.Bound(fd, record, count);
            moved = bound == 0 ? -Linux.EAGAIN : Process.FromLibc(Process.Libc->splice(fd, null, target, null, bound, spliceFlags | NonBlock));
            if (moved > 0)
            {
                ReceiveReturn.Passed(record, moved);
                Interlocked.Add(ref record->KernelReceived, (ulong)moved);
                Volatile.Write(ref record->KernelConsumed, record->KernelConsumed + (ulong)moved);
            }
        }
        ThreadLock.Exit(&record->ReceiveLock);
        return moved;
    }
}
