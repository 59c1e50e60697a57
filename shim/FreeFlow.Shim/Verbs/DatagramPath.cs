using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// The way of datagrams from one queue pair to another (<see cref="QueuePairLayout"/>), as its sender or its receiver has it. The sender
/// writes block 0. Guarded by the queue pair's lock.
/// </summary>
internal unsafe struct DatagramPath
{
    public IbvGid From, To;

    /// <summary>The other queue pair.</summary>
    public uint Number;

    public byte* Shared;
    public QueuePairHeader* Block;

    /// <summary>The block of the receiver, of which its state counts.</summary>
    public QueuePairHeader* Back;
    public int Doorbell;

    /// <summary>Messages and payload bytes sent, or taken.</summary>
    public ulong Count, Bytes;

    /// <summary>When it was opened, or has been refused: CLOCK_MONOTONIC in ns.</summary>
    public ulong OpenedAt;

    /// <summary>Of a sender that finds no room: since when, and what the receiver had taken then.</summary>
    public ulong StalledSince, StalledAt;

    public DatagramPath* Next;

    /// <summary>Maps what the router has given: memory and doorbell. Null if that is not to be had.</summary>
    public static DatagramPath* Create(int* fds, IbvGid from, IbvGid to, uint number, CompletionChannel* channel)
    {
        byte* memory = Pages.Map(null, (nuint)QueuePairLayout.TotalBytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, fds[0], 0);
        if (memory == null) return null;
        QueuePairHeader* block = (QueuePairHeader*)memory, back = (QueuePairHeader*)(memory + QueuePairLayout.BlockBytes);
        int doorbell = block->Magic == QueuePairLayout.Magic && block->Version == QueuePairLayout.Version ? Control.OwnDescriptors.Duplicate(fds[1]) : -1;
        DatagramPath* path = doorbell < 0 ? null : (DatagramPath*)Pages.Allocate((nuint)sizeof(DatagramPath));
        if (path == null)
        {
            Control.OwnDescriptors.Close(doorbell);
            Pages.Unmap(memory, (nuint)QueuePairLayout.TotalBytes);
            return null;
        }
        path->From = from;
        path->To = to;
        path->Number = number;
        path->Shared = memory;
        path->Block = block;
        path->Back = back;
        path->Doorbell = doorbell;
        path->OpenedAt = Process.Now();
        if (channel != null) CompletionChannel.Watch(channel, doorbell);
        return path;
    }

    public static void Free(DatagramPath* path, CompletionChannel* channel)
    {
        if (channel != null) CompletionChannel.Unwatch(channel, path->Doorbell);
        Control.OwnDescriptors.Close(path->Doorbell);
        Pages.Unmap(path->Shared, (nuint)QueuePairLayout.TotalBytes);
        Pages.Free(path, (nuint)sizeof(DatagramPath));
    }

    public static bool IsClosed(QueuePairHeader* block) => Volatile.Read(ref block->State) == (uint)QueuePairState.Ended || Volatile.Read(ref block->Gone) != 0;

    /// <summary>The owner of the block takes no part any more.</summary>
    public static void Close(DatagramPath* path, QueuePairHeader* own)
    {
        Volatile.Write(ref own->State, (uint)QueuePairState.Ended);
        Doorbells.RingIfAwaited(path->Doorbell, own == path->Block ? &path->Block->ReaderWaiting : &path->Block->WriterWaiting);
    }
}
