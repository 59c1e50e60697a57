using System;
using System.Runtime.InteropServices;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Tests.Memory;

/// <summary>
/// Both ends of one ring in this process, each with its own record, between pages that nobody may touch: what leaves its block ends the test run.
/// </summary>
internal sealed unsafe class RingPair : IDisposable
{
    private readonly byte* _memory;
    private readonly nuint _length;
    private readonly ConnectionRecord* _records;
    private readonly int[] _doorbells = NewDoorbell();

    public RingPair(ulong capacity)
    {
        Glue.Install();
        _length = (nuint)RingLayout.TotalBytes(capacity) + (2 * RingLayout.PageBytes);
        _memory = (byte*)Process.Libc->mmap(null, _length, 0, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS, -1, 0);
        // The same place with rights replaces the middle and leaves a forbidden page on either side.
        const int fixedPlace = 0x10;
        byte* ring = (byte*)Process.Libc->mmap(_memory + RingLayout.PageBytes, (nuint)RingLayout.TotalBytes(capacity),
            Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED | Linux.MAP_ANONYMOUS | fixedPlace, -1, 0);
        _records = (ConnectionRecord*)NativeMemory.AllocZeroed(2, (nuint)sizeof(ConnectionRecord));
        for (uint side = 0; side < 2; side++)
        {
            RingBlockHeader* block = (RingBlockHeader*)(ring + RingLayout.WriterBlockOffset(side, capacity));
            *block = new RingBlockHeader { Magic = RingLayout.Magic, Version = RingLayout.Version, Capacity = capacity, ReaderWaiting = 1 };
            ConnectionRecord* record = _records + side;
            record->RingAddress = (ulong)ring;
            record->Capacity = capacity;
            record->SendWindow = (uint)capacity;
            record->Side = side;
            record->Doorbell = _doorbells[side];
            Gate.Set(&record->SendGate, DirectionPhase.Ring);
            Gate.Set(&record->ReceiveGate, DirectionPhase.Ring);
        }
    }

    public ConnectionRecord* Writer => _records;

    public ConnectionRecord* Reader => _records + 1;

    /// <summary>The block that goes from writer to reader.</summary>
    public RingBlockHeader* Direction => Block.Outgoing(Writer);

    /// <summary>Sends one buffer as send(2) does: the short way, or the general one.</summary>
    public long Write(ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            if (RingWriter.TryWriteWhole(Writer, Direction, bytes, (nuint)data.Length)) return data.Length;
            IoVector vector = new() { Base = bytes, Length = (nuint)data.Length };
            VectorCursor cursor = new(&vector, 1);
            return RingWriter.Write(Writer, Direction, ref cursor);
        }
    }

    /// <summary>Receives into one buffer as recv(2) does: the short way, or the general one.</summary>
    public long Read(Span<byte> buffer, bool peek = false, bool discard = false)
    {
        fixed (byte* bytes = buffer)
        {
            if (!peek && !discard && RingReader.TryReadSome(Reader, Direction, bytes, (nuint)buffer.Length) is > 0 and nint some) return some;
            IoVector vector = new() { Base = bytes, Length = (nuint)buffer.Length };
            VectorCursor cursor = new(&vector, 1);
            return RingReader.Read(Reader, Direction, ref cursor, peek, discard);
        }
    }

    /// <summary>How often the reader's (1) or writer's (0) doorbell was rung since it was last asked.</summary>
    public ulong Rung(int side)
    {
        byte* bytes = stackalloc byte[64];
        nint count = Process.Libc->recv(_doorbells[side], bytes, 64, Linux.MSG_DONTWAIT);
        return count > 0 ? (ulong)count : 0;
    }

    public void Dispose()
    {
        foreach (int doorbell in _doorbells) Process.Libc->close(doorbell);
        Process.Libc->munmap(_memory, _length);
        NativeMemory.Free(_records);
    }

    private static int[] NewDoorbell()
    {
        int* ends = stackalloc int[2];
        const int stream = 1;
        if (Tmds.Linux.LibC.socketpair(Linux.AF_UNIX, stream, 0, ends) != 0) throw new InvalidOperationException("no socket pair");
        return [ends[0], ends[1]];
    }
}
