using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Memory;

/// <summary>
/// Wakes the other side, only if it said that it sleeps. Follows <c>shim/models/doorbell.pml</c>: who sleeps sets its Waiting word, fences, looks
/// again and then sleeps; who has something to tell publishes it, fences, and rings if it is the one that takes the word back to 0.
/// </summary>
internal static unsafe class Doorbell
{
    /// <summary>Tells the peer's reader that bytes or a new state are published.</summary>
    public static void NotifyReader(ConnectionRecord* connection, RingBlockHeader* outgoing)
    {
        Interlocked.MemoryBarrier();
        NotifyReaderAfterFence(connection, outgoing);
    }

    /// <summary>As <see cref="NotifyReader"/>, for a caller that has fenced since it published.</summary>
    public static void NotifyReaderAfterFence(ConnectionRecord* connection, RingBlockHeader* outgoing)
    {
        if (Volatile.Read(ref outgoing->ReaderWaiting) != 0 && Interlocked.Exchange(ref outgoing->ReaderWaiting, 0) != 0) Ring(connection);
    }

    /// <summary>Tells the peer's writer that there is room again.</summary>
    public static void NotifyWriter(ConnectionRecord* connection, RingBlockHeader* incoming)
    {
        Interlocked.MemoryBarrier();
        NotifyWriterAfterFence(connection, incoming);
    }

    /// <summary>As <see cref="NotifyWriter"/>, for a caller that has fenced since it gave the space back.</summary>
    public static void NotifyWriterAfterFence(ConnectionRecord* connection, RingBlockHeader* incoming)
    {
        if (Volatile.Read(ref incoming->WriterWaiting) != 0 && Interlocked.Exchange(ref incoming->WriterWaiting, 0) != 0) Ring(connection);
    }

    /// <summary>Wakes the peer whether it has said that it sleeps or not: a request that it would not look for otherwise.</summary>
    public static void RingAlways(ConnectionRecord* connection) => Ring(connection);

    public static void ArmReader(RingBlockHeader* incoming) => Interlocked.Exchange(ref incoming->ReaderWaiting, 1);

    public static void ArmWriter(RingBlockHeader* outgoing) => Interlocked.Exchange(ref outgoing->WriterWaiting, 1);

    /// <summary>Empties the own doorbell after a poll(2), unless another thread still sleeps on it and would miss its wake-up.</summary>
    public static void Drain(ConnectionRecord* connection)
    {
        if (Volatile.Read(ref connection->Sleepers) != 0) return;
        ulong count;
        int errno = Process.Errno;
        IoVector vector = new() { Base = (byte*)&count, Length = sizeof(ulong) };
        // The peer holds the same open file and could have cleared its O_NONBLOCK and emptied it: this read does not wait all the same.
        if (Process.Libc->preadv2 != null) Process.Libc->preadv2(connection->OwnDoorbell, &vector, 1, -1, Linux.RWF_NOWAIT);
        else Process.Libc->read(connection->OwnDoorbell, (byte*)&count, sizeof(ulong));
        Process.Errno = errno;
        // Who counted itself in between may have lost the ring that was meant for it.
        if (Volatile.Read(ref connection->Sleepers) != 0) RingOwn(connection);
    }

    private static void RingOwn(ConnectionRecord* connection) => Write(connection->OwnDoorbell);

    private static void Ring(ConnectionRecord* connection) => Write(connection->PeerDoorbell);

    /// <summary>Adds one to an eventfd that never blocks; errno untouched.</summary>
    public static void Write(int doorbell)
    {
        ulong one = 1;
        int errno = Process.Errno;
        Process.Libc->write(doorbell, (byte*)&one, sizeof(ulong));
        Process.Errno = errno;
    }
}
