using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The steps of a receive from a mirrored ring that are different from those of a shared one (docs/fabric.md). Callers hold ReceiveLock.
/// </summary>
internal static unsafe class MirroredReceiver
{
    /// <summary>
    /// The reader is Ready: how many kernel bytes the next receive may take; <see cref="EmptyRing.Retry"/> after a change of phase; otherwise its answer, 0 or less.
    /// </summary>
    public static nint WhileReady(int fd, ConnectionRecord* record, RingBlockHeader* incoming, nuint wanted, bool peeks)
    {
        uint handover = Volatile.Read(ref incoming->Handover);
        if (handover == (uint)HandoverState.Kernel)
        {
            // A request of this end was answered: the sender never switched, and never will.
            Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
            return EmptyRing.Retry;
        }
        if (handover >= (uint)HandoverState.Ring) return Handover.TakeUpRing(record, incoming) ? EmptyRing.Retry : EmptyRing.Corrupt(fd, record);
        nint found = peeks ? ReceiveReturn.ScanAll(fd, record, wanted, out bool marked) : ReceiveReturn.Scan(fd, record, wanted, out marked);
        if (found <= 0 && !marked && record->PendingError != 0) return Told(record);
        if (found != 0) return found;
        if (marked) return After(fd, record, ReceiveReturn.TakeWhileReady(fd, record, incoming));
        return AtEnd(fd, record, incoming);
    }

    /// <summary>True while one step of a receive may end before the kernel's bytes do: at a mark, or where the look for one ends.</summary>
    public static bool HasSeams(ConnectionRecord* record) =>
        Gate.Phase(&record->ReceiveGate) is var phase && (phase == DirectionPhase.Returning || (phase == DirectionPhase.Ready && ReturnMark.IsMirrored(record)));

    /// <summary>The ring is empty. Retry, 0 at end of stream, or a negative errno.</summary>
    public static nint WhenEmpty(int fd, ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (ReceiveReturn.IsTaken(record))
        {
            Gate.Set(&record->ReceiveGate, DirectionPhase.Returning);
            return EmptyRing.Retry;
        }
        if (record->PendingError != 0) return -Interlocked.Exchange(ref record->PendingError, 0);
        if (Volatile.Read(ref record->KernelAttention) == 0 && Volatile.Read(ref incoming->WriterClosed) == 0 && !EmptyRing.IsKernelLookDue(record)) return -Linux.EAGAIN;
        Volatile.Write(ref record->KernelAttention, 0);
        nint mark = ReceiveReturn.Take(fd, record, incoming, stop: false);
        if (mark == -Linux.EAGAIN) return RingReader.Available(record, incoming) != 0 ? EmptyRing.Retry : mark;
        if (mark is ReceiveReturn.Taken or ReceiveReturn.Broken) return After(fd, record, mark);
        Volatile.Write(ref record->KernelAttention, 1);
        if (mark == 0) return AtEnd(fd, record, incoming);
        // The kernel's news came after the ring's bytes.
        if (RingReader.Available(record, incoming) == 0) return mark;
        record->PendingError = (int)-mark;
        return EmptyRing.Retry;
    }

    /// <summary>The ring's rest comes by the kernel: how many bytes the next receive may take; Retry, or its answer, 0 or less.</summary>
    public static nint WhileReturning(int fd, ConnectionRecord* record)
    {
        nint bound = ReceiveReturn.Drop(fd, record);
        if (bound == ReceiveReturn.Unbounded) return EmptyRing.Retry;
        if (bound <= 0 && record->PendingError != 0) return Told(record);
        // Behind a shared ring's rest the program's bytes follow without a seam.
        if (bound > 0 && !ReturnMark.IsMirrored(record)) return ReceiveReturn.Unbounded;
        if (bound != 0) return bound;
        if (ReceiveReturn.IsCutShort(record)) return Reset(fd, record);
        Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        return EmptyRing.Retry;
    }

    /// <summary>What the kernel has said of this connection, once, to a look that had bytes to answer first.</summary>
    private static nint Told(ConnectionRecord* record) => -Interlocked.Exchange(ref record->PendingError, 0);

    /// <summary>An end of stream that leaves bytes out is none.</summary>
    public static nint Reset(int fd, ConnectionRecord* record)
    {
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
        int errno = Process.Errno;
        Process.Libc->shutdown(fd, Linux.SHUT_RDWR);
        Process.Errno = errno;
        Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        return -Linux.ECONNRESET;
    }

    /// <summary>What a receive may take from the kernel now, for one that does not copy: the bytes, 0 if none.</summary>
    public static nuint Bound(int fd, ConnectionRecord* record, nuint wanted)
    {
        nint bound = Gate.Phase(&record->ReceiveGate) switch
        {
            DirectionPhase.Ready when ReturnMark.IsMirrored(record) => ReceiveReturn.Scan(fd, record, wanted, out _),
            DirectionPhase.Ring => (nint)(record->ReceiveSwitchAt - record->KernelConsumed),
            DirectionPhase.Returning => ReceiveReturn.Drop(fd, record) is var left && left > 0 && !ReturnMark.IsMirrored(record) ? ReceiveReturn.Unbounded : left,
            _ => ReceiveReturn.Unbounded,
        };
        return bound <= 0 ? 0 : (nuint)bound < wanted ? (nuint)bound : wanted;
    }

    private static nint After(int fd, ConnectionRecord* record, nint mark) => mark switch
    {
        ReceiveReturn.Taken => EmptyRing.Retry,
        ReceiveReturn.Broken => EmptyRing.Corrupt(fd, record),
        _ => mark,
    };

    private static nint AtEnd(int fd, ConnectionRecord* record, RingBlockHeader* incoming)
    {
        // Shut down here: the kernel ends the stream by itself.
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ReceiveShutdown) != 0) return 0;
        nint verdict = ReceiveReturn.Verdict(record, incoming);
        if (verdict == ReceiveReturn.Taken) return EmptyRing.Retry;
        if (verdict == 0) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
        return verdict == -Linux.ECONNRESET ? Reset(fd, record) : verdict;
    }
}
