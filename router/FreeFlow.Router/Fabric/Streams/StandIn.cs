using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// The return from a mirrored ring (docs/fabric.md) for a sender that does not get to it: its program sleeps elsewhere, while bytes of it lie in a ring that goes nowhere
/// any more, or that its reader wants by the kernel. The program's own socket is borrowed for each attempt and given back at once, so that it ends when the program says so.
/// Follows <c>shim/models/standin.pml</c>: the two take turns by the word Returner, and bytes that the program has written at the last moment are its own to send.
/// </summary>
/// <param name="ring">Retained for this object, which releases it.</param>
/// <param name="borrow">A descriptor of the socket, or −1.</param>
/// <param name="isLost">The way is lost; otherwise the reader has asked, and may ask no more.</param>
internal sealed unsafe class StandIn(MirroredRing ring, Func<int> borrow, bool isLost) : IDisposable
{
    private const int HeaderBytes = RingLayout.ReturnMarkBytes + (2 * sizeof(ulong));
    private const int MostPieces = 3;

    /// <summary>One attempt, which never waits. True if nothing is left to do here.</summary>
    public bool Try()
    {
        RingBlockHeader* block = ring.FromShim;
        ReturnerState before = (ReturnerState)Volatile.Read(ref block->Returner);
        if (Volatile.Read(ref block->ReaderClosed) != 0 || before == ReturnerState.Done) return true;
        if (before == ReturnerState.None && !IsDue(block)) return true;
        if (before is ReturnerState.Writer or ReturnerState.Router) return false;
        int socket = borrow();
        if (socket < 0) return true;
        bool done = false;
        if (Interlocked.CompareExchange(ref block->Returner, (uint)ReturnerState.Router, (uint)before) == (uint)before)
        {
            bool begun = before == ReturnerState.Paused || TryBegin(block);
            done = !begun || Push(block, socket);
            // The shim says when all is done: it may have more behind this.
            Interlocked.CompareExchange(ref block->Returner, (uint)(begun ? ReturnerState.Paused : ReturnerState.None), (uint)ReturnerState.Router);
        }
        Libc.close(socket);
        return done;
    }

    public void Dispose() => ring.Release();

    private bool IsDue(RingBlockHeader* block) => Volatile.Read(ref block->Handover) == (uint)HandoverState.Ring && (isLost
        ? Volatile.Read(ref block->Tail) != Volatile.Read(ref block->Head) : Volatile.Read(ref block->ReaderWantsKernel) == (uint)RecallState.Asked);

    /// <summary>Leaves the ring. False if there is no reason any more.</summary>
    private bool TryBegin(RingBlockHeader* block)
    {
        lock (ring.Forwarding)
        {
            // By this word every sending call of the shim knows that it has to leave.
            uint asked = isLost ? Volatile.Read(ref block->ReaderWantsKernel) : (uint)RecallState.Asked;
            if (Interlocked.CompareExchange(ref block->ReaderWantsKernel, (uint)RecallState.TakenUp, asked) != asked) return false;
            // Who has looked at that word before, and publishes now, finds a reader to wake, and looks once more.
            Interlocked.Exchange(ref block->ReaderWaiting, 1);
            Volatile.Write(ref block->BackAt, Volatile.Read(ref block->Head));
            Volatile.Write(ref block->ReturnEnd, Volatile.Read(ref block->Tail));
            Volatile.Write(ref block->ReturnSent, 0);
            return Interlocked.CompareExchange(ref block->Handover, (uint)HandoverState.Back, (uint)HandoverState.Ring) == (uint)HandoverState.Ring;
        }
    }

    /// <summary>What the kernel takes now. True if nothing is left, or it will not take it: an error that it tells once is the program's.</summary>
    private bool Push(RingBlockHeader* block, int socket)
    {
        ulong from = Volatile.Read(ref block->BackAt), end = Volatile.Read(ref block->ReturnEnd), start = Volatile.Read(ref block->Base);
        if (end - from > ring.Capacity) return true;
        byte* header = stackalloc byte[HeaderBytes];
        new ReadOnlySpan<byte>(block->ReturnMark, RingLayout.ReturnMarkBytes).CopyTo(new Span<byte>(header, HeaderBytes));
        *(ulong*)(header + RingLayout.ReturnMarkBytes) = from;
        *(ulong*)(header + RingLayout.ReturnMarkBytes + sizeof(ulong)) = end;
        IoVector* pieces = stackalloc IoVector[MostPieces];
        ulong total = HeaderBytes + (end - from);
        for (ulong sent = Volatile.Read(ref block->ReturnSent); sent < total;)
        {
            PollDescriptor look = new() { Descriptor = socket };
            if (Libc.poll(&look, 1, 0) > 0 && (look.Returned & PollDescriptor.POLLERR) != 0) return true;
            int unsent = 0;
            // The mark begins a segment.
            if (sent == 0 && Libc.ioctl(socket, Libc.SIOCOUTQNSD, (nint)(&unsent)) == 0 && unsent != 0) return false;
            int count = 0;
            if (sent < HeaderBytes) pieces[count++] = new IoVector { Base = header + sent, Length = (nuint)(HeaderBytes - sent) };
            ulong position = from + (sent < HeaderBytes ? 0 : sent - HeaderBytes);
            while (position < end && count < MostPieces)
            {
                ulong length = Math.Min(end - position, ring.ToEnd(position, start));
                pieces[count++] = new IoVector { Base = ring.At(block, position, start), Length = (nuint)length };
                position += length;
            }
            MessageHeader message = new() { Vectors = pieces, VectorCount = (nuint)count };
            nint taken = Libc.sendmsg(socket, &message, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (taken < 0) return Errno.Last is not (Errno.EAGAIN or Errno.EINTR or Errno.ENOMEM);
            sent += (ulong)taken;
            Volatile.Write(ref block->ReturnSent, sent);
        }
        return true;
    }
}
