using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// The return from a ring (docs/fabric.md) for a sender that does not get to it: its program sleeps elsewhere, while bytes of it lie in a ring that goes nowhere
/// any more, or that its reader wants by the kernel, or that its kernel did not take when it left the ring. The program's own socket is borrowed for each attempt and given
/// back at once, so that it ends when the program says so. Follows <c>shim/models/standin.pml</c>: the two take turns by the word Returner, and bytes that the program has
/// written at the last moment are its own to send until it has left the ring itself.
/// </summary>
/// <param name="ring">Retained for this object, which releases it.</param>
/// <param name="loan">The program's socket.</param>
/// <param name="cause">Why the ring is to be left, if its writer has not left it.</param>
internal sealed unsafe class StandIn(MirroredRing ring, SocketLoan loan, StandInCause cause) : IDisposable
{
    private const int MostHeaderBytes = RingLayout.ReturnMarkBytes + (2 * sizeof(ulong));
    private const int MostPieces = 3;

    /// <summary>A program that has published bytes at the last moment leaves the ring within a few of these, if it does; then there may be more to do.</summary>
    private const int MostLooks = 16;

    /// <summary>As in the shim: a router that stands in takes moments, so one that has been at it for this long was killed in the midst of it.</summary>
    private const long RouterMilliseconds = 10_000;

    private int _looks;
    private long _heldSince;

    /// <summary>The program's uid.</summary>
    public uint User => loan.User;

    /// <summary>The last attempt brought something into the kernel.</summary>
    public bool Moved { get; private set; }

    /// <summary>True if nothing is left to do for a sender of this ring, whatever happens to its way.</summary>
    public static bool IsNeedless(MirroredRing ring) =>
        Volatile.Read(ref ring.FromShim->ReaderClosed) != 0 || Volatile.Read(ref ring.FromShim->Returner) == (uint)ReturnerState.Done;

    /// <summary>True if a sender of this ring has a return to go on with, or to begin.</summary>
    public static bool IsDue(MirroredRing ring, StandInCause cause) =>
        !IsNeedless(ring) && (Volatile.Read(ref ring.FromShim->Returner) != (uint)ReturnerState.None || IsDue(ring.FromShim, cause));

    /// <summary>One attempt, which never waits. True if nothing is left to do here.</summary>
    public bool Try()
    {
        Moved = false;
        RingBlockHeader* block = ring.FromShim;
        ReturnerState before = (ReturnerState)Volatile.Read(ref block->Returner);
        if (cause == StandInCause.Unheard) Warn(block);
        if (!IsDue(ring, cause)) return true;
        if (before == ReturnerState.Paused && Volatile.Read(ref block->WriterLeft) == (uint)LeavingState.Not && IsSent(block, Volatile.Read(ref block->ReturnEnd))) return ++_looks > MostLooks;
        int socket = loan.Take();
        if (socket < 0) return true;
        bool done = false;
        if (before is ReturnerState.None or ReturnerState.Paused && Interlocked.CompareExchange(ref block->Returner, (uint)ReturnerState.Router, (uint)before) == (uint)before)
        {
            bool begun = before == ReturnerState.Paused || TryBegin(block);
            // Looked at behind Back: a reader that closes says so, and then looks at that word. Bytes sent to one that had read them in its ring would come back as a reset.
            bool needless = begun && Volatile.Read(ref block->ReaderClosed) != 0;
            done = !begun || needless || Push(block, socket);
            if (begun && before == ReturnerState.None && cause == StandInCause.Unheard) WakeWriters(socket);
            // The shim says when all is done: it may have more behind this.
            Interlocked.CompareExchange(ref block->Returner, (uint)(needless ? ReturnerState.Done : begun ? ReturnerState.Paused : ReturnerState.None), (uint)ReturnerState.Router);
        }
        else if (before == ReturnerState.Router) done = GivesUp(block, socket);
        BorrowedSocket.GiveBack(socket);
        return done;
    }

    public void Dispose() => ring.Release();

    /// <summary>
    /// Another router has been at it for too long: it was killed between the kernel's taking bytes and the word that says how many. Both ends are told, as the shim does it in its next call, rather than that bytes may come twice.
    /// </summary>
    private bool GivesUp(RingBlockHeader* block, int socket)
    {
        long now = Environment.TickCount64;
        if (_heldSince == 0) _heldSince = now;
        if (now - _heldSince < RouterMilliseconds) return false;
        Libc.shutdown(socket, Libc.SHUT_RDWR);
        Interlocked.CompareExchange(ref block->Returner, (uint)ReturnerState.Paused, (uint)ReturnerState.Router);
        return true;
    }

    /// <summary>From now on nobody enters this ring, and who writes into it finds out: it makes the reader wait, looks at this word, and leaves.</summary>
    private void Warn(RingBlockHeader* block)
    {
        if (Interlocked.CompareExchange(ref block->ReaderWantsKernel, (uint)RecallState.Unheard, (uint)RecallState.None) == (uint)RecallState.None) ring.AskToBeWoken();
    }

    /// <summary>
    /// A program that found the ring full, and waits for an edge that tells of room, hears of none in the ring. Any change of this option, even to what it is, makes the kernel look who
    /// waits for room (sk_write_space).
    /// </summary>
    private static void WakeWriters(int socket)
    {
        int least;
        uint length = sizeof(int);
        if (Libc.getsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, &least, &length) == 0) _ = Libc.setsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, &least, length);
    }

    private static bool IsDue(RingBlockHeader* block, StandInCause cause) => Volatile.Read(ref block->Handover) == (uint)HandoverState.Ring && cause switch
    {
        StandInCause.Lost => Volatile.Read(ref block->Tail) != Volatile.Read(ref block->Head),
        StandInCause.Asked => Volatile.Read(ref block->ReaderWantsKernel) is (uint)RecallState.Asked or (uint)RecallState.UnheardAndAsked,
        _ => true,
    };

    /// <summary>Leaves the ring. False if there is no reason any more.</summary>
    private bool TryBegin(RingBlockHeader* block)
    {
        lock (ring.Forwarding)
        {
            // By this word every sending call of the shim knows that it has to leave.
            uint asked = Volatile.Read(ref block->ReaderWantsKernel);
            if (cause == StandInCause.Asked && asked < (uint)RecallState.Unheard) asked = (uint)RecallState.Asked;
            if (asked < (uint)RecallState.Unheard && Interlocked.CompareExchange(ref block->ReaderWantsKernel, (uint)RecallState.TakenUp, asked) != asked) return false;
            // Who has looked at that word before, and publishes now, finds a reader to wake, and looks once more.
            ring.AskToBeWoken();
            Volatile.Write(ref block->BackAt, Volatile.Read(ref block->Head));
            Volatile.Write(ref block->ReturnEnd, Volatile.Read(ref block->Tail));
            Volatile.Write(ref block->ReturnSent, 0);
            return Interlocked.CompareExchange(ref block->Handover, (uint)HandoverState.Back, (uint)HandoverState.Ring) == (uint)HandoverState.Ring;
        }
    }

    /// <summary>True if the kernel has the mark and the ring's bytes up to <paramref name="place"/>.</summary>
    private bool IsSent(RingBlockHeader* block, ulong place) =>
        Volatile.Read(ref block->ReturnSent) >= ring.ReturnHeaderBytes + (place - Volatile.Read(ref block->BackAt));

    /// <summary>
    /// What the kernel takes now. True if nothing is left and the program will not write more, or the kernel will not take it: an error that it tells once is the program's.
    /// </summary>
    private bool Push(RingBlockHeader* block, int socket)
    {
        LeavingState left = (LeavingState)Volatile.Read(ref block->WriterLeft);
        ulong from = Volatile.Read(ref block->BackAt), end = Volatile.Read(ref block->ReturnEnd), start = Volatile.Read(ref block->Base);
        // A Tail that is final counts; until then what lies behind the end that the mark names is on its way to the program's next call.
        ulong goal = left == LeavingState.Not ? end : Volatile.Read(ref block->Tail);
        if (from > goal || end - from > goal - from || goal - from > ring.Capacity) return true;
        byte* header = stackalloc byte[MostHeaderBytes];
        ulong headerBytes = ring.ReturnHeaderBytes;
        new ReadOnlySpan<byte>(block->ReturnMark, RingLayout.ReturnMarkBytes).CopyTo(new Span<byte>(header, MostHeaderBytes));
        *(ulong*)(header + RingLayout.ReturnMarkBytes) = from;
        *(ulong*)(header + RingLayout.ReturnMarkBytes + sizeof(ulong)) = end;
        IoVector* pieces = stackalloc IoVector[MostPieces];
        ulong total = headerBytes + (goal - from);
        for (ulong sent = Volatile.Read(ref block->ReturnSent); sent < total;)
        {
            PollDescriptor look = new() { Descriptor = socket };
            if (Libc.poll(&look, 1, 0) > 0 && (look.Returned & PollDescriptor.POLLERR) != 0) return true;
            int unsent = 0;
            // The mark begins a segment.
            if (sent == 0 && headerBytes != 0 && Libc.ioctl(socket, Libc.SIOCOUTQNSD, (nint)(&unsent)) == 0 && unsent != 0) return false;
            int count = 0;
            if (sent < headerBytes) pieces[count++] = new IoVector { Base = header + sent, Length = (nuint)(headerBytes - sent) };
            ulong position = from + (sent < headerBytes ? 0 : sent - headerBytes);
            while (position != goal && count < MostPieces)
            {
                ulong length = Math.Min(goal - position, ring.ToEnd(position, start));
                pieces[count++] = new IoVector { Base = ring.At(block, position, start), Length = (nuint)length };
                position += length;
            }
            MessageHeader message = new() { Vectors = pieces, VectorCount = (nuint)count };
            nint taken = Libc.sendmsg(socket, &message, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            // Nothing taken of something: words that cannot be.
            if (taken == 0) return true;
            if (taken < 0) return Errno.Last is not (Errno.EAGAIN or Errno.EINTR or Errno.ENOMEM);
            sent += (ulong)taken;
            Volatile.Write(ref block->ReturnSent, sent);
            Moved = true;
        }
        if (left == LeavingState.ShutDown) Libc.shutdown(socket, Libc.SHUT_WR);
        return left != LeavingState.Not;
    }
}
