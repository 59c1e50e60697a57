using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Memory;

/// <summary>The receiving half of a ring. Caller holds ReceiveLock. The peer's Tail and Base are checked or masked before use.</summary>
internal static unsafe class RingReader
{
    /// <summary>Space is given back at least this often during a long copy.</summary>
    private const ulong ReleaseEvery = 32 * 1024;

    /// <summary>Bytes waiting; −1 if the peer wrote an impossible Tail.</summary>
    public static long Available(ConnectionRecord* connection, RingBlockHeader* incoming)
    {
        ulong available = End(connection, incoming) - connection->ReceiveHead;
        return available > connection->Capacity ? -1 : (long)available;
    }

    /// <summary>The position up to which there is something to read: the writer's Tail, or, behind a return mark, where its bytes go on in the kernel.</summary>
    public static ulong End(ConnectionRecord* connection, RingBlockHeader* incoming)
    {
        ulong tail = Volatile.Read(ref incoming->Tail);
        return (Volatile.Read(ref connection->Flags) & (uint)ConnectionFlags.MarkTaken) == 0 ? tail : connection->ReceiveBackAt;
    }

    /// <summary>The next contiguous piece of at most <paramref name="available"/> bytes, which the caller has from <see cref="Available"/>.</summary>
    public static byte* Peek(ConnectionRecord* connection, RingBlockHeader* incoming, ulong position, ulong available, out nuint length)
    {
        ulong offset = (position - Volatile.Read(ref incoming->Base)) & (connection->Capacity - 1);
        ulong piece = connection->Capacity - offset;
        if (piece > available) piece = available;
        if (piece > ReleaseEvery) piece = ReleaseEvery;
        length = (nuint)piece;
        return Block.Data(incoming) + offset;
    }

    /// <summary>Gives <paramref name="bytes"/> back to the writer and wakes it if it waits for room.</summary>
    public static void Release(ConnectionRecord* connection, RingBlockHeader* incoming, nuint bytes)
    {
        Advance(connection, incoming, bytes);
        if (IsWorthWaking(connection, incoming)) Doorbell.NotifyWriter(connection, incoming);
    }

    private static void Advance(ConnectionRecord* connection, RingBlockHeader* incoming, nuint bytes)
    {
        ulong head = connection->ReceiveHead + bytes;
        Volatile.Write(ref connection->ReceiveHead, head);
        Volatile.Write(ref incoming->Head, head);
    }

    private static bool IsWorthWaking(ConnectionRecord* connection, RingBlockHeader* incoming) =>
        RingWriter.IsWritable(Volatile.Read(ref incoming->Tail) - connection->ReceiveHead, connection->Capacity);

    /// <summary>
    /// Takes the lock, copies out what is there up to the ring's end, leaves the lock and wakes a waiting writer: what almost every receive is. The bytes, or 0 if
    /// there is anything else to it; nothing has been done then.
    /// </summary>
    public static nint TryReadSome(ConnectionRecord* connection, RingBlockHeader* incoming, byte* buffer, nuint count)
    {
        ThreadRecord* thread = ThreadLock.EnterAs(&connection->ReceiveLock);
        if (thread == null) return 0;
        nuint length = 0;
        ulong available = Volatile.Read(ref incoming->Tail) - connection->ReceiveHead;
        bool plain = Gate.Phase(&connection->ReceiveGate) == DirectionPhase.Ring && connection->KernelConsumed >= connection->ReceiveSwitchAt
            && available != 0 && available <= connection->Capacity && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring;
        if (plain)
        {
            byte* source = Peek(connection, incoming, connection->ReceiveHead, available, out length);
            // A longer read goes on where the ring starts again, in the general way.
            if (length < count && length < available) length = 0;
            if (length > count) length = count;
            if (length != 0 && Process.Copy(buffer, source, length) != 0) length = 0;
            if (length != 0) Advance(connection, incoming, length);
        }
        ThreadLock.ExitWithFence(&connection->ReceiveLock, thread);
        Spinner.AfterRead(connection, thread, length);
        if (length != 0 && IsWorthWaking(connection, incoming)) Doorbell.NotifyWriterAfterFence(connection, incoming);
        return (nint)length;
    }

    /// <summary>
    /// Copies out what is there. <paramref name="peek"/> leaves it in the ring (MSG_PEEK); <paramref name="discard"/> drops it without a copy
    /// (MSG_TRUNC on TCP, tcp(7)). Returns the bytes taken, 0 if the ring is empty, −1 if it is corrupt, <see cref="RingWriter.BadBuffer"/>.
    /// </summary>
    public static nint Read(ConnectionRecord* connection, RingBlockHeader* incoming, ref VectorCursor target, bool peek, bool discard)
    {
        nint taken = 0;
        nuint kept = 0;
        bool faulted = false;
        ulong position = connection->ReceiveHead;
        VectorCursor start = target;
        while (!target.AtEnd)
        {
            ulong available = End(connection, incoming) - position;
            if (available > connection->Capacity) return -1;
            if (available == 0) break;
            byte* source = Peek(connection, incoming, position, available, out nuint length);
            if (length > target.Contiguous) length = target.Contiguous;
            faulted = !discard && !CallerMemory.TryWrite(target.Pointer, source, length);
            if (faulted) break;
            target.Advance(length);
            position += length;
            taken += (nint)length;
            kept += length;
            if (kept < ReleaseEvery) continue;
            if (!peek) Release(connection, incoming, kept);
            kept = 0;
            start = target;
        }
        if (faulted)
        {
            // The kernel gives a packet whole or not at all: what was copied of a piece in which a buffer ends stays in the ring.
            taken -= (nint)kept;
            target = start;
        }
        else if (!peek && kept != 0) Release(connection, incoming, kept);
        if (faulted && taken == 0) return RingWriter.BadBuffer;
        Spinner.AfterRead(connection, Process.CurrentThread(), (nuint)taken);
        return taken;
    }
}
