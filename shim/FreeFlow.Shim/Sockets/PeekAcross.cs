using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>What a peek sees where the ring's bytes end and the kernel's go on.</summary>
internal static unsafe class PeekAcross
{
    /// <summary>Where the ring ends and the kernel goes on: the bytes there that a peek sees behind the ring's <paramref name="copied"/>.</summary>
    public static nint Behind(int fd, ConnectionRecord* record, RingBlockHeader* incoming, ref VectorCursor target, int flags, nint copied)
    {
        if (target.AtEnd || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Back || RingReader.Available(record, incoming) != copied || UrgentMark.IsNextInKernel(fd)) return 0;
        // Of a shared ring's return the kernel has once more what was just seen, unless all of it was left in the ring.
        nint bound = ReturnMark.IsMirrored(record) ? ReceiveReturn.Drop(fd, record)
            : Volatile.Read(ref incoming->BackAt) == record->ReceiveHead + (ulong)copied ? ReceiveReturn.Unbounded : 0;
        nint behind = bound > 0 ? KernelReceive.Part(fd, record, ref target, flags, (nuint)bound) : 0;
        return behind > 0 ? behind : KeepError(record, behind);
    }

    /// <summary>
    /// What the kernel has behind the ring's <paramref name="behind"/> bytes, where the ring has come and gone behind <paramref name="part"/> unread ones of the kernel: a
    /// peek of the kernel alone sees both, so the first part is looked at once more, into its own place.
    /// </summary>
    public static nint Beyond(int fd, ConnectionRecord* record, RingBlockHeader* incoming, VectorCursor start, ref VectorCursor target, int flags, nint part, nint behind)
    {
        const int pieces = 16;
        if (target.AtEnd || ReturnMark.IsMirrored(record) || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Back || RingReader.Available(record, incoming) != behind) return 0;
        if (Volatile.Read(ref incoming->BackAt) != record->ReceiveHead + (ulong)behind) return 0;
        IoVector* vectors = stackalloc IoVector[2 * pieces];
        nuint first = start.CopyTo(vectors, pieces, (nuint)part);
        if (VectorCursor.Total(vectors, first) != (nuint)part) return 0;
        MessageHeader both = new() { Vectors = vectors, VectorCount = first + target.CopyTo(vectors + first, pieces, nuint.MaxValue) };
        nint seen = KernelReceive.Take(fd, record, &both, (flags & ~Linux.MSG_WAITALL) | Linux.MSG_DONTWAIT), beyond = seen - part;
        if (beyond <= 0) return KeepError(record, seen);
        target.AdvanceAll((nuint)beyond);
        return beyond;
    }

    /// <summary>
    /// A peek for all (MSG_PEEK with MSG_WAITALL) whose <paramref name="seen"/> bytes begin in the ring, and whose rest is the kernel's:
    /// waits there until the kernel has all
    /// of the rest, or can have no more. What both have then.
    /// </summary>
    public static nint ForAll(int fd, ConnectionRecord* record, MessageHeader* message, int flags, nint seen)
    {
        const int pieces = 16;
        if (!ThreadLock.Enter(&record->ReceiveLock)) return seen;
        nint ring = EndOfRing(record, Block.Incoming(record));
        ThreadLock.Exit(&record->ReceiveLock);
        if (ring <= 0 || ring > seen || UrgentMark.IsNextInKernel(fd)) return seen;
        VectorCursor rest = new(message->Vectors, message->VectorCount);
        rest.AdvanceAll((nuint)ring);
        IoVector* vectors = stackalloc IoVector[pieces];
        MessageHeader part = new() { Vectors = vectors, VectorCount = rest.CopyTo(vectors, pieces, nuint.MaxValue) };
        if (VectorCursor.Total(vectors, part.VectorCount) != VectorCursor.Total(ref rest)) return seen;
        nint behind = KernelReceive.Take(fd, record, &part, flags);
        return behind > 0 ? ring + behind : seen + KeepError(record, behind);
    }

    /// <summary>
    /// How many bytes are left in a ring whose writer has left it, if the kernel has nothing but what comes behind them; otherwise 0.
    /// Caller holds ReceiveLock.
    /// </summary>
    private static nint EndOfRing(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring || record->KernelConsumed < record->ReceiveSwitchAt) return 0;
        if (ReturnMark.IsMirrored(record) || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Back) return 0;
        nint available = (nint)RingReader.Available(record, incoming);
        return Volatile.Read(ref incoming->BackAt) == record->ReceiveHead + (ulong)available ? available : 0;
    }

    /// <summary>The kernel tells an error once: to a look that has bytes to answer it is to be told later. 0.</summary>
    public static nint KeepError(ConnectionRecord* record, nint answer)
    {
        if (answer is < 0 and not (-Linux.EAGAIN or -Linux.EFAULT or -Linux.EINTR)) record->PendingError = (int)-answer;
        return 0;
    }
}
