using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>The shim's side of a mirrored ring, played by a test: it writes and reads the words as docs/fabric.md says.</summary>
internal sealed unsafe class FakeEnd : IDisposable
{
    public const ulong Capacity = 65536;

    private readonly byte* _memory;
    private readonly int _bell;
    private ulong _sent, _read;

    public FakeEnd(ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim)
    {
        using Ring ring = Ring.TryCreate(Capacity, withDoorbell: true)!;
        Router = MirroredRing.TryCreate(ring, Capacity, markFromShim, markToShim)!;
        _memory = (byte*)Libc.mmap(null, (nuint)RingLayout.TotalBytes(Capacity), Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, ring.Memory, 0);
        _bell = Libc.fcntl(ring.FirstDoorbell, Libc.F_DUPFD_CLOEXEC, 0);
        Doorbell = SocketName.Of(_bell);
        _ = Libc.fstat(ring.Memory, out FileStatus status);
        Memory = (status.Device, status.Inode);
    }

    /// <summary>The shim's end of the doorbell.</summary>
    public SocketName Doorbell { get; }

    /// <summary>The ring's memfd.</summary>
    public (ulong Device, ulong Inode) Memory { get; }

    /// <summary>The router's side, for a stream.</summary>
    public MirroredRing Router { get; }

    public RingBlockHeader* Out => (RingBlockHeader*)_memory;

    public RingBlockHeader* In => (RingBlockHeader*)(_memory + RingLayout.BlockBytes(Capacity));

    public HandoverState OutState => (HandoverState)Volatile.Read(ref Out->Handover);

    public HandoverState InState => (HandoverState)Volatile.Read(ref In->Handover);

    /// <summary>True once the router has closed its end of the doorbell.</summary>
    public bool IsBellClosed
    {
        get
        {
            byte bytes;
            nint taken = Libc.recv(_bell, &bytes, 1, Libc.MSG_DONTWAIT);
            return taken == 0 || (taken < 0 && Errno.Last is not (Errno.EAGAIN or Errno.EINTR));
        }
    }

    public void AnnounceReady()
    {
        Volatile.Write(ref In->Handover, (uint)HandoverState.Ready);
        Knock();
    }

    /// <summary>Waits until the other end is Ready, then switches at kernel byte <paramref name="at"/>.</summary>
    public void Switch(ulong at)
    {
        Eventually(() => OutState == HandoverState.Ready, "the sender learns that the reader is Ready");
        Volatile.Write(ref Out->SwitchAt, at);
        Interlocked.CompareExchange(ref Out->Handover, (uint)HandoverState.Ring, (uint)HandoverState.Ready);
        Knock();
    }

    /// <summary>Writes as much as there is room for.</summary>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        ulong room = Capacity - (_sent - Volatile.Read(ref Out->Head));
        int length = (int)Math.Min(room, (ulong)bytes.Length);
        for (int i = 0; i < length; i++) ((byte*)Out)[RingLayout.HeaderBytes + (int)((_sent + (ulong)i) & (Capacity - 1))] = bytes[i];
        _sent += (ulong)length;
        Volatile.Write(ref Out->Tail, _sent);
        Interlocked.MemoryBarrier();
        if (length > 0 && Interlocked.Exchange(ref Out->ReaderWaiting, 0) != 0) Knock();
        return length;
    }

    /// <summary>Reads what is there.</summary>
    public int Read(Span<byte> target)
    {
        ulong available = Volatile.Read(ref In->Tail) - _read, start = Volatile.Read(ref In->Base);
        int length = (int)Math.Min(available, (ulong)target.Length);
        for (int i = 0; i < length; i++) target[i] = ((byte*)In)[RingLayout.HeaderBytes + (int)((_read + (ulong)i - start) & (Capacity - 1))];
        _read += (ulong)length;
        Volatile.Write(ref In->Head, _read);
        Interlocked.MemoryBarrier();
        if (length > 0 && Interlocked.Exchange(ref In->WriterWaiting, 0) != 0) Knock();
        return length;
    }

    public void Knock()
    {
        byte one = 1;
        Libc.send(_bell, &one, 1, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
    }

    /// <summary>Rings until the bell takes no more, in few calls, so that the router hears few events.</summary>
    public void FillBell()
    {
        byte* many = stackalloc byte[1 << 16];
        while (Libc.send(_bell, many, 1 << 16, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL) > 0) { }
    }

    public static void Eventually(Func<bool> condition, string what)
    {
        for (int i = 0; i < 10_000; i++)
        {
            if (condition()) return;
            Thread.Sleep(1);
        }
        NUnit.Framework.Assert.Fail($"never happened: {what}");
    }

    public void Dispose()
    {
        Libc.munmap(_memory, (nuint)RingLayout.TotalBytes(Capacity));
        Libc.close(_bell);
    }
}
