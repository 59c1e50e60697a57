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

    /// <summary>The kernel tells an error once: to a look that has bytes to answer it is to be told later. 0.</summary>
    public static nint KeepError(ConnectionRecord* record, nint answer)
    {
        if (answer is < 0 and not -Linux.EAGAIN and not -Linux.EFAULT) record->PendingError = (int)-answer;
        return 0;
    }
}
