using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The reader and the kernel stream, once the writer has left the ring: where a mirrored ring's mark is, what was read from the ring already, and what an end of stream is
/// worth (docs/fabric.md, <c>shim/models/return.pml</c>, <c>localreturn.pml</c>). Callers hold ReceiveLock; nothing here waits longer than a moment.
/// </summary>
internal static unsafe class ReceiveReturn
{
    /// <summary>What <see cref="Take"/> and <see cref="TakeWhileReady"/> return for a mark that has been read, or one that cannot be.</summary>
    public const nint Taken = 1, Broken = int.MinValue;

    private const int ScanBytes = 16384;
    private const ulong MomentNanoseconds = 2_000_000, VerdictNanoseconds = 20_000_000;

    /// <summary>
    /// While the reader is Ready: how many of the next kernel bytes, at most about <paramref name="wanted"/>, are the program's; 0 with <paramref name="marked"/> if the
    /// mark comes first; otherwise 0 at the end of the stream, or a negative errno. Nothing is taken.
    /// </summary>
    public static nint Scan(int fd, ConnectionRecord* record, nuint wanted, out bool marked)
    {
        byte* bytes = stackalloc byte[ScanBytes + ReturnMark.HeaderBytes];
        return Scan(fd, record, wanted, bytes, ScanBytes, out marked);
    }

    /// <summary>As <see cref="Scan(int, ConnectionRecord*, nuint, out bool)"/>, for a receive that takes nothing and so cannot go on behind the first piece: all that has come.</summary>
    public static nint ScanAll(int fd, ConnectionRecord* record, nuint wanted, out bool marked)
    {
        int waiting = 0;
        if (wanted <= ScanBytes || Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting) != 0 || waiting <= ScanBytes) return Scan(fd, record, wanted, out marked);
        nuint room = (nuint)waiting < wanted ? (nuint)waiting : wanted;
        byte* bytes = (byte*)Process.Reserve(room + ReturnMark.HeaderBytes);
        if (bytes == null) return Scan(fd, record, wanted, out marked);
        nint found = Scan(fd, record, wanted, bytes, room, out marked);
        Process.Libc->munmap(bytes, room + ReturnMark.HeaderBytes);
        return found;
    }

    /// <param name="fd">The connection's.</param>
    /// <param name="record">The connection.</param>
    /// <param name="wanted">Of the program's bytes.</param>
    /// <param name="bytes">Room for <paramref name="room"/> of them, and a mark.</param>
    /// <param name="room">How many are looked at.</param>
    /// <param name="marked">The mark comes first.</param>
    private static nint Scan(int fd, ConnectionRecord* record, nuint wanted, byte* bytes, nuint room, out bool marked)
    {
        byte* mark = Block.Incoming(record)->ReturnMark;
        nuint most = (wanted < room ? wanted : room) + ReturnMark.HeaderBytes;
        ulong deadline = 0;
        marked = false;
        for (nint before = -1; ;)
        {
            nint count = Process.FromLibc(Process.Libc->recv(fd, bytes, most, Linux.MSG_PEEK | Linux.MSG_DONTWAIT));
            if (count <= 0) return count;
            int at = ReturnMark.Find(mark, bytes, (int)count), same = (int)count - at;
            marked = at == 0 && same >= ReturnMark.HeaderBytes;
            if (marked || same == 0) return marked ? 0 : count;
            if (at > 0 && (same >= ReturnMark.Certain || (nuint)at >= wanted || (nuint)at >= room)) return at;
            // The sender has the mark begin a segment: a few bytes that look like its beginning are chance, unless more of it comes at once.
            if (deadline == 0) deadline = Process.Now() + MomentNanoseconds;
            else if (count == before && Process.Now() >= deadline) return same < ReturnMark.Certain ? count : at > 0 ? at : -Linux.EAGAIN;
            before = count;
            Nap();
        }
    }

    /// <summary>Reads a mark that <see cref="Scan"/> has found, if the router has not just said that the sender had switched.</summary>
    public static nint TakeWhileReady(int fd, ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (Interlocked.CompareExchange(ref incoming->Handover, (uint)HandoverState.Back, (uint)HandoverState.Ready) == (uint)HandoverState.Ready)
        {
            record->ReceiveSwitchAt = record->KernelConsumed;
            Gate.Set(&record->ReceiveGate, DirectionPhase.Ring);
            return Take(fd, record, incoming, stop: true);
        }
        return Handover.TakeUpRing(record, incoming) ? Taken : Broken;
    }

    /// <summary>
    /// In the ring, behind the last kernel byte before it: reads what there is of the mark. <see cref="Taken"/>, or <see cref="Broken"/>, or 0 at the end of the stream, or
    /// a negative errno. <paramref name="stop"/>: the ring is not to be read any further.
    /// </summary>
    public static nint Take(int fd, ConnectionRecord* record, RingBlockHeader* incoming, bool stop)
    {
        byte* bytes = stackalloc byte[ReturnMark.HeaderBytes];
        while (record->ReceiveMarkBytes < ReturnMark.HeaderBytes)
        {
            nint count = Process.FromLibc(Process.Libc->recv(fd, bytes, ReturnMark.HeaderBytes - record->ReceiveMarkBytes, Linux.MSG_DONTWAIT));
            if (count <= 0) return count;
            Count(record, count);
            if (!ReturnMark.Accept(record, bytes, (int)count)) return Broken;
        }
        if (IsTaken(record))
        {
            if (stop && record->ReceiveReturnNext <= record->ReceiveHead) record->ReceiveBackAt = record->ReceiveHead;
            return Taken;
        }
        long available = RingReader.Available(record, incoming);
        ulong head = record->ReceiveHead, end = record->ReceiveReturnEnd, tail = head + (ulong)available;
        if (available < 0 || record->ReceiveReturnNext > head || end < tail || end - record->ReceiveReturnNext > record->Capacity) return Broken;
        record->ReceiveBackAt = stop ? head : tail;
        Volatile.Write(ref incoming->BackAt, record->ReceiveBackAt);
        Volatile.Write(ref incoming->Handover, (uint)HandoverState.Back);
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.MarkTaken);
        record->MarksFound++;
        if (Reattachment.IsDetached(record)) return Taken;
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
        if (record->Reason == (uint)Reason.None) record->Reason = (uint)Reason.NoRouter;
        return Taken;
    }

    /// <summary>
    /// A shared ring whose writer is Back: this end has read it to its head, T, and the kernel stream goes on at BackAt, so that T − BackAt bytes are to be dropped there.
    /// False if T is before BackAt, or the writer's numbers are impossible.
    /// </summary>
    public static bool TakeShared(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        ulong head = record->ReceiveHead, from = Volatile.Read(ref incoming->BackAt), end = Volatile.Read(ref incoming->ReturnEnd), tail = Volatile.Read(ref incoming->Tail);
        if (from > head || head - from > record->Capacity || end - from > record->Capacity || tail - head > record->Capacity) return false;
        bool early = record->KernelConsumed < record->ReceiveSwitchAt;
        // Bytes from before the ring come first, and then nothing of the ring can have been read.
        if (early && from != head) return false;
        record->ReceiveReturnNext = from;
        record->ReceiveBackAt = head;
        record->ReceiveReturnEnd = end;
        // A writer that knows of its return writes nothing there any more, and need not keep the ring's pages for this end.
        if (Volatile.Read(ref incoming->WriterLeft) != (uint)LeavingState.Not) Volatile.Write(ref incoming->Head, tail);
        Gate.Set(&record->ReceiveGate, early || (from == head && end <= head) ? DirectionPhase.Back : DirectionPhase.Returning);
        return true;
    }

    /// <summary>A shared ring's writer has ended its stream with more than the kernel took: the rest is in the ring only. Whoever wants it by the kernel has asked before.</summary>
    public static bool IsStopped(ConnectionRecord* record, RingBlockHeader* incoming) => !ReturnMark.IsMirrored(record) && Volatile.Read(ref incoming->Returner) == (uint)ReturnerState.Done
        && Volatile.Read(ref incoming->ReturnSent) < Volatile.Read(ref incoming->ReturnEnd) - Volatile.Read(ref incoming->BackAt);

    /// <summary>A stream that ends in the midst of a return leaves bytes out, unless all of them were read from the ring.</summary>
    public static bool IsCutShort(ConnectionRecord* record) => ReturnMark.IsMirrored(record) || record->ReceiveBackAt < record->ReceiveReturnEnd;

    public static bool IsTaken(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.MarkTaken) != 0;

    /// <summary>
    /// Behind the mark: drops what was read from the ring. How many of the next kernel bytes are the ring's rest, or <see cref="Unbounded"/> if they are the program's
    /// for good; 0 if the stream ends before, or a negative errno.
    /// </summary>
    public static nint Drop(int fd, ConnectionRecord* record)
    {
        const ulong most = 1 << 20;
        byte unused;
        while (record->ReceiveReturnNext < record->ReceiveBackAt)
        {
            ulong left = record->ReceiveBackAt - record->ReceiveReturnNext;
            nint count = Process.FromLibc(Process.Libc->recv(fd, &unused, (nuint)(left < most ? left : most), Linux.MSG_TRUNC | Linux.MSG_DONTWAIT));
            if (count <= 0) return count;
            Count(record, count);
            record->ReceiveReturnNext += (ulong)count;
        }
        if (record->ReceiveReturnNext < record->ReceiveReturnEnd) return (nint)(record->ReceiveReturnEnd - record->ReceiveReturnNext);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Returning) Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        return Unbounded;
    }

    public const nint Unbounded = int.MaxValue;

    /// <summary>After kernel bytes of any kind went to the program, or to a pipe.</summary>
    public static void Passed(ConnectionRecord* record, nint count)
    {
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Returning) return;
        record->ReceiveReturnNext += (ulong)count;
        if (record->ReceiveReturnNext >= record->ReceiveReturnEnd) Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
    }

    /// <summary>
    /// The kernel's stream has ended without a mark. 0 if the router has said that the ring is whole, or the reader has never heard of a switch and nobody is left to
    /// tell; −ECONNRESET if nobody is left to say that it is whole; −EAGAIN if it is to come, in a moment; <see cref="Taken"/> if the ring has got something new meanwhile.
    /// </summary>
    public static nint Verdict(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        ulong start = Process.Now(), patience = Stall.Allow(VerdictNanoseconds);
        while (true)
        {
            // In this order: who has closed the doorbell, or said that it is whole, has put everything into the ring before.
            Doorbell.LookForPeer(record);
            bool gone = (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0;
            bool whole = Volatile.Read(ref incoming->WriterClosed) != 0;
            bool more = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready
                ? Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring : RingReader.Available(record, incoming) != 0;
            if (more || whole || gone || Process.Now() - start >= patience)
            {
                Stall.Spent(start);
                bool held = !more && !whole && !gone;
                if (held) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.EndHeld);
                else Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.EndHeld);
                // Never switched, as far as this end has heard: the sender most likely has not heard of Ready either, and then the kernel's end is the end.
                bool early = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready;
                return more ? Taken : whole || (gone && early) ? 0 : gone ? -Linux.ECONNRESET : -Linux.EAGAIN;
            }
            Nap();
        }
    }

    /// <summary>True if an end of stream that was held back may be told now: edge-triggered sets are owed a report.</summary>
    public static bool IsEndReleased(ConnectionRecord* record)
    {
        uint flags = Volatile.Read(ref record->Flags);
        return (flags & (uint)ConnectionFlags.EndHeld) != 0 && ((flags & (uint)ConnectionFlags.DoorbellGone) != 0 || Volatile.Read(ref Block.Incoming(record)->WriterClosed) != 0);
    }

    private static void Count(ConnectionRecord* record, nint count)
    {
        Interlocked.Add(ref record->KernelReceived, (ulong)count);
        record->KernelDropped += (ulong)count;
        Volatile.Write(ref record->KernelConsumed, record->KernelConsumed + (ulong)count);
    }

    private static void Nap()
    {
        TimeSpec time = new() { Nanoseconds = 200_000 };
        Process.Libc->ppoll(null, 0, &time, null);
    }
}
