using System;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// The router's side of a ring that it shares with one shim (docs/fabric.md), which is side 0. Or a ring that two shims share, for as long as the router stands in for one of
/// them. The mapping and the bell are this object's.
/// </summary>
internal sealed unsafe class MirroredRing : IDisposable
{
    private readonly byte* _memory;
    private readonly nuint _bytes;
    private int _holders = 1;

    private readonly uint _side;

    private MirroredRing(byte* memory, ulong capacity, int bell, uint side = 0)
    {
        _side = side;
        _memory = memory;
        _bytes = (nuint)RingLayout.TotalBytes(capacity);
        Capacity = capacity;
        Bell = bell;
    }

    public ulong Capacity { get; }

    /// <summary>The router's end of the doorbell; −1 of a ring that was taken up.</summary>
    public int Bell { get; }

    /// <summary>What to do when nobody has it any more.</summary>
    public Action? Freed { get; set; }

    /// <summary>Held while the shim's bytes are put into frames, and while its ring is left for it (<see cref="StandIn"/>): then no byte behind that place goes out.</summary>
    public Lock Forwarding { get; } = new();

    /// <summary>What the shim writes.</summary>
    public RingBlockHeader* FromShim => (RingBlockHeader*)(_memory + RingLayout.WriterBlockOffset(_side, Capacity));

    /// <summary>Bytes that precede the ring's in the kernel stream: the mark and its positions, or nothing where the shims share the words that say the same.</summary>
    public ulong ReturnHeaderBytes { get; private init; } = RingLayout.ReturnMarkBytes + (2 * sizeof(ulong));

    /// <summary>What the shim reads.</summary>
    public RingBlockHeader* ToShim => (RingBlockHeader*)(_memory + RingLayout.WriterBlockOffset(1 - _side, Capacity));

    /// <summary>
    /// Data bytes of one direction of both ends' rings: what an end has a place for, or <paramref name="otherwise"/>. Two ends that both have one have it of the same size: it was one connection's.
    /// </summary>
    public static ulong CapacityFor(ulong ours, ulong theirs, ulong otherwise) => ours != 0 ? ours : theirs != 0 ? theirs : otherwise;

    /// <summary>Maps a ring that nobody else has yet, writes its marks, and takes a descriptor of its own of the second doorbell; null with errno if that cannot be had.</summary>
    public static MirroredRing? TryCreate(Ring ring, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim)
    {
        int bell = Libc.fcntl(ring.SecondDoorbell, Libc.F_DUPFD_CLOEXEC, 0);
        if (bell < 0) return null;
        MirroredRing? mirrored = DescriptorReserve.IsTooHigh(bell) ? null : TryMap(ring.Memory, capacity, bell);
        if (mirrored is null) { Libc.close(bell); return null; }
        markFromShim.CopyTo(new Span<byte>(mirrored.FromShim->ReturnMark, RingLayout.ReturnMarkBytes));
        markToShim.CopyTo(new Span<byte>(mirrored.ToShim->ReturnMark, RingLayout.ReturnMarkBytes));
        return mirrored;
    }

    /// <summary>Maps a ring that another router made and a program has; null if it is not one, or the program could change its size.</summary>
    public static MirroredRing? TryTakeUp(int memory) =>
        IsRing(memory, out RingBlockHeader header) && new ReadOnlySpan<byte>(header.ReturnMark, RingLayout.ReturnMarkBytes).ContainsAnyExcept((byte)0)
            ? TryMap(memory, header.Capacity, -1) : null;

    /// <summary>Maps a ring that two programs share, to stand in for the one that is side <paramref name="sender"/>; null if it is not one, or they could change its size.</summary>
    public static MirroredRing? TryShare(int memory, uint sender)
    {
        if (!IsRing(memory, out RingBlockHeader header)) return null;
        void* mapping = Map(memory, header.Capacity);
        return mapping == Libc.MAP_FAILED ? null : new((byte*)mapping, header.Capacity, -1, sender) { ReturnHeaderBytes = 0 };
    }

    private static bool IsRing(int memory, out RingBlockHeader header)
    {
        int seals = Libc.fcntl(memory, Libc.F_GET_SEALS, 0);
        fixed (RingBlockHeader* target = &header)
        {
            return seals >= 0 && (seals & SealedMemory.SizeSeals) == SealedMemory.SizeSeals
                && Libc.pread(memory, target, (nuint)sizeof(RingBlockHeader), 0) == sizeof(RingBlockHeader)
                && target->Magic == RingLayout.Magic && target->Version == RingLayout.Version && RingLayout.IsValidCapacity(target->Capacity)
                && Libc.fstat(memory, out FileStatus status) == 0 && status.Size == (long)RingLayout.TotalBytes(target->Capacity);
        }
    }

    /// <summary>Data of a block, at a position and a base that have been chosen or masked.</summary>
    public byte* At(RingBlockHeader* block, ulong position, ulong start) => (byte*)block + RingLayout.HeaderBytes + ((position - start) & (Capacity - 1));

    /// <summary>Bytes from there to the end of the data, where it goes on at its beginning.</summary>
    public ulong ToEnd(ulong position, ulong start) => Capacity - ((position - start) & (Capacity - 1));

    /// <summary>The shim's next bytes ring the bell. Whoever calls this looks for what is there already behind it.</summary>
    public void AskToBeWoken() => Interlocked.Exchange(ref FromShim->ReaderWaiting, 1);

    /// <summary>Wakes the shim if it sleeps on <paramref name="waiting"/>. After what there is to see is published.</summary>
    public void Notify(ref uint waiting)
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref waiting) != 0 && Interlocked.Exchange(ref waiting, 0) != 0) RingBell();
    }

    /// <summary>Wakes it in any case.</summary>
    public void RingBell()
    {
        byte one = 1;
        _ = Libc.send(Bell, &one, 1, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL); // a full one has woken it already; a closed one is seen by who watches it
    }

    /// <summary>Takes what was rung; false if the shim's end is closed.</summary>
    public bool Hear()
    {
        const int most = 256;
        byte* bytes = stackalloc byte[most];
        if (Ring.DoorbellsTakeDescriptors) return HearWithDescriptors(new Span<byte>(bytes, most));
        while (true)
        {
            nint taken = Libc.recv(Bell, bytes, most, Libc.MSG_DONTWAIT);
            if (taken == most || (taken < 0 && Errno.Last == Errno.EINTR)) continue;
            return taken > 0 || (taken < 0 && Errno.Last == Errno.EAGAIN);
        }
    }

    /// <summary>On kernels that let descriptors into a doorbell: the kernel would close them in this thread, which carries everybody's streams.</summary>
    private bool HearWithDescriptors(Span<byte> bytes)
    {
        Span<int> descriptors = stackalloc int[SeqPacket.MostDescriptors];
        while (true)
        {
            int taken = SeqPacket.Receive(Bell, bytes, descriptors, out int count, out _, Libc.MSG_DONTWAIT);
            foreach (int descriptor in descriptors[..count]) ForeignDescriptors.CloseShared(descriptor);
            if (taken == bytes.Length || count > 0 || (taken < 0 && Errno.Last == Errno.EINTR)) continue;
            return taken > 0 || (taken < 0 && Errno.Last == Errno.EAGAIN);
        }
    }

    /// <summary>Keeps the memory beyond <see cref="Dispose"/>, until <see cref="Release"/>.</summary>
    public MirroredRing Retain()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) != 0) return;
        Libc.munmap(_memory, _bytes);
        Freed?.Invoke();
    }

    private static MirroredRing? TryMap(int memory, ulong capacity, int bell)
    {
        void* mapping = Map(memory, capacity);
        return mapping == Libc.MAP_FAILED ? null : new((byte*)mapping, capacity, bell);
    }

    private static void* Map(int memory, ulong capacity) =>
        Libc.mmap(null, (nuint)RingLayout.TotalBytes(capacity), Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, memory, 0);

    /// <summary>Closes the bell: the shim's stream is not carried any more.</summary>
    public void Dispose()
    {
        if (Ring.DoorbellsTakeDescriptors && Bell >= 0)
        {
            // Its end is what the shim waits for, and must not wait for what else lies in it.
            Libc.shutdown(Bell, Libc.SHUT_RDWR);
            ForeignDescriptors.CloseShared(Bell);
        }
        else Libc.close(Bell);
        Release();
    }
}
