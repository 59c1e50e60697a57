using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Memory;

/// <summary>
/// The sending half of a ring. Caller holds SendLock. Positions are the record's own; the peer's Head is checked before use.
/// </summary>
internal static unsafe class RingWriter
{
    /// <summary>Bytes are published at least this often, so that the reader copies out while the writer still copies in.</summary>
    private const ulong PublishEvery = 32 * 1024;

    /// <summary>Once a ring's used part would leave its first page, the writer looks whether it is empty and can start over there.</summary>
    private const ulong FirstPage = RingLayout.PageBytes - RingLayout.HeaderBytes;

    /// <summary>A sender whose reader takes nothing looks whether it is alive once in so many times.</summary>
    private const uint UnreadPerLook = 16;

    /// <summary>Bytes that may be written; −1 if the peer wrote an impossible Head.</summary>
    public static long Free(ConnectionRecord* connection, RingBlockHeader* outgoing)
    {
        ulong head = Volatile.Read(ref outgoing->Head);
        if (head - connection->SendHeadSeen > connection->SendTail - connection->SendHeadSeen) return -1;
        connection->SendHeadSeen = head;
        ulong used = connection->SendTail - head, window = connection->SendWindow;
        return used < window ? (long)(window - used) : 0;
    }

    /// <summary>Whether a sender that found the ring full should be woken: the kernel's own rule, free space at least half of what is used (tcp(7), sk_stream_is_writeable).</summary>
    public static bool IsWritable(ulong used, ulong capacity) => used < capacity && capacity - used >= used / 2;

    /// <summary>As <see cref="IsWritable(ulong, ulong)"/>, without the lock: reads only.</summary>
    public static bool IsWritable(ConnectionRecord* connection, RingBlockHeader* outgoing) =>
        IsWritable(Volatile.Read(ref connection->SendTail) - Volatile.Read(ref outgoing->Head), connection->SendWindow);

    /// <summary>What <see cref="Write"/> and <see cref="RingReader.Read"/> return when the application's buffer cannot be touched.</summary>
    public const nint BadBuffer = -2;

    /// <summary>
    /// Copies as much as fits; returns the bytes taken, −1 if the ring is corrupt, or <see cref="BadBuffer"/> if no byte could be taken. The pieces of a vector
    /// become visible together: a reader that sleeps must not be woken by the first of them and answer that alone.
    /// </summary>
    public static nint Write(ConnectionRecord* connection, RingBlockHeader* outgoing, ref VectorCursor source)
    {
        nint written = 0, result = 0;
        nuint hidden = 0;
        VectorCursor start = source;
        while (!source.AtEnd)
        {
            byte* target = Reserve(connection, outgoing, source.Contiguous, out nuint room);
            if (target == null) { result = room == 0 ? 0 : -1; break; }
            if (Process.Copy(target, source.Pointer, room) != 0)
            {
                // As the kernel's packets: a piece in which a buffer ends is not sent at all.
                source = start;
                connection->SendTail -= hidden;
                written -= (nint)hidden;
                hidden = 0;
                result = written > 0 ? 0 : BadBuffer;
                break;
            }
            source.Advance(room);
            connection->SendTail += room;
            written += (nint)room;
            hidden += room;
            if (hidden < PublishEvery) continue;
            Publish(connection, outgoing, 0);
            hidden = 0;
            start = source;
        }
        if (hidden > 0) Publish(connection, outgoing, 0);
        return result < 0 ? result : written;
    }

    /// <summary>
    /// A contiguous free piece of at most <paramref name="wanted"/> bytes to fill and then <see cref="Publish"/>. Null with room 0 if the ring is full, null with
    /// room 1 if it is corrupt.
    /// </summary>
    public static byte* Reserve(ConnectionRecord* connection, RingBlockHeader* outgoing, nuint wanted, out nuint room)
    {
        ulong tail = connection->SendTail, capacity = connection->Capacity;
        // More may be unread than the window allows, if it has been made smaller.
        ulong used = tail - connection->SendHeadSeen, window = connection->SendWindow, free = used < window ? window - used : 0;
        if (free < wanted || tail - connection->SendBase + wanted > FirstPage)
        {
            ulong head = connection->SendHeadSeen;
            long seen = Free(connection, outgoing);
            if (seen < 0) { room = 1; return null; }
            if (head != tail && connection->SendHeadSeen == head) LookForReader(connection);
            free = (ulong)seen;
            if (connection->SendHeadSeen == tail && connection->SendBase != tail && (connection->Flags & FamilyLayout.TracedFlag) == 0)
            {
                // In this order: who takes over from a holder killed in between finds that the ring still has to start over.
                Volatile.Write(ref outgoing->Base, tail);
                Volatile.Write(ref connection->SendBase, tail);
            }
            if (tail - connection->SendBase + wanted > FirstPage) Trimmer.Note(connection);
        }
        ulong offset = (tail - connection->SendBase) & (capacity - 1);
        ulong piece = capacity - offset;
        if (piece > free) piece = free;
        if (piece > PublishEvery) piece = PublishEvery;
        if (piece > wanted) piece = wanted;
        room = (nuint)piece;
        return piece == 0 ? null : Block.Data(outgoing) + offset;
    }

    /// <summary>A contiguous piece of what was written at <paramref name="position"/> and after.</summary>
    public static byte* Unread(ConnectionRecord* connection, RingBlockHeader* outgoing, ulong position, out nuint length)
    {
        ulong offset = (position - connection->SendBase) & (connection->Capacity - 1);
        ulong piece = connection->Capacity - offset, left = connection->SendTail - position;
        length = (nuint)(piece < left ? piece : left);
        return Block.Data(outgoing) + offset;
    }

    /// <summary>Makes <paramref name="bytes"/> visible to the reader and wakes it if it sleeps.</summary>
    public static void Publish(ConnectionRecord* connection, RingBlockHeader* outgoing, nuint bytes)
    {
        Advance(connection, outgoing, bytes);
        Doorbell.NotifyReader(connection, outgoing);
    }

    /// <summary>
    /// Takes the lock, copies one buffer whole, leaves the lock and wakes the reader: what almost every send is, with one fence for everything. False if there is
    /// anything else to it; nothing has been done then.
    /// </summary>
    public static bool TryWriteWhole(ConnectionRecord* connection, RingBlockHeader* outgoing, byte* buffer, nuint count)
    {
        ThreadRecord* thread = ThreadLock.EnterAs(&connection->SendLock);
        if (thread == null) return false;
        byte* target = Gate.Phase(&connection->SendGate) == DirectionPhase.Ring ? Reserve(connection, outgoing, count, out nuint room) : (byte*)(room = 0);
        bool whole = target != null && room == count && Process.Copy(target, buffer, count) == 0;
        if (whole) Advance(connection, outgoing, count);
        ThreadLock.ExitWithFence(&connection->SendLock, thread);
        if (whole) Doorbell.NotifyReaderAfterFence(connection, outgoing);
        return whole;
    }

    /// <summary>The reader has taken nothing lately. It may be busy, or asleep and about to be woken, or dead, and then nobody else tells a sender that never reads.</summary>
    private static void LookForReader(ConnectionRecord* connection)
    {
        if (++connection->SendsUnread % UnreadPerLook == 0) Doorbell.LookForPeer(connection);
    }

    /// <summary>Tells the reader that nothing more comes; the kernel's end of stream, which counts, is on its way. To a reader that has read all of it the end is an arrival.</summary>
    public static void NoteEnd(RingBlockHeader* outgoing)
    {
        if (Volatile.Read(ref outgoing->Head) == Volatile.Read(ref outgoing->Tail)) outgoing->WrittenAt = Process.Ticks();
        Volatile.Write(ref outgoing->WriterClosed, 1);
    }

    private static void Advance(ConnectionRecord* connection, RingBlockHeader* outgoing, nuint bytes)
    {
        connection->SendTail += bytes;
        outgoing->WrittenAt = Process.Ticks();
        Volatile.Write(ref outgoing->Tail, connection->SendTail);
    }
}
