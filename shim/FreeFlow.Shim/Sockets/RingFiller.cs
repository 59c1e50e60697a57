using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>Reads a file or pipe straight into ring memory, for sendfile(2) and splice(2).</summary>
internal static unsafe class RingFiller
{
    /// <summary>The direction left the ring before a byte was moved: the kernel's call is to be made.</summary>
    public const int WentBack = int.MinValue;

    /// <summary>Moves up to <paramref name="count"/> bytes; the bytes moved, 0 at the source's end, a negative errno, or <see cref="WentBack"/>.</summary>
    /// <param name="fd">The connection's descriptor.</param>
    /// <param name="record">The connection, whose sending direction is on the ring.</param>
    /// <param name="source">A file or pipe.</param>
    /// <param name="offset">Where to read, moved on; null for the source's own position.</param>
    /// <param name="count">At most so many bytes.</param>
    /// <param name="fromPipe">True for a pipe, whose bytes are taken as far as there are any.</param>
    /// <param name="dontWait">The call must not wait for the pipe.</param>
    public static nint Fill(int fd, ConnectionRecord* record, int source, long* offset, nuint count, bool fromPipe, bool dontWait)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        nint moved = 0;
        ulong deadline = Waiter.Unknown;
        int waiting = Blocking.Unasked;
        while ((nuint)moved < count)
        {
            // A pipe may have nothing yet: wait for it before the lock is taken.
            if (fromPipe && PipeEnd.Wait(source, Linux.POLLIN, dontWait || moved > 0) is var ready && ready < 0) return moved > 0 ? moved : ready;
            if (!ThreadLock.Enter(&record->SendLock)) return moved > 0 ? moved : -Linux.EAGAIN;
            nint step = 0;
            nuint room = 0;
            byte* target = Gate.Phase(&record->SendGate) == DirectionPhase.Ring ? RingWriter.Reserve(record, outgoing, count - (nuint)moved, out room) : null;
            if (target != null)
            {
                step = fromPipe ? PipeEnd.Read(source, target, room)
                    : Process.FromLibc(offset != null ? Process.Libc->pread(source, target, room, *offset) : Process.Libc->read(source, target, room));
                if (step > 0)
                {
                    RingWriter.Publish(record, outgoing, (nuint)step);
                    if (offset != null) *offset += step;
                    moved += step;
                }
            }
            ThreadLock.Exit(&record->SendLock);
            Recall.AnswerAtOnce(record, fd);
            if (target != null)
            {
                // A pipe that others read too, and have emptied since it was asked: ask again.
                if (step > 0 || (fromPipe && step == -Linux.EAGAIN)) continue;
                return moved > 0 ? moved : step;
            }
            if (room != 0) Sender.GoBack(record, Reason.CorruptRing);
            if (!Sender.IsOnRing(fd, record, 0))
            {
                int error = moved > 0 || record->PendingError == 0 ? 0 : Interlocked.Exchange(ref record->PendingError, 0);
                return moved > 0 ? moved : error != 0 ? -error : WentBack;
            }
            // With nothing to send there is nothing to wait for.
            if (moved == 0 && !fromPipe && Rest(source, offset) is var rest && rest <= 0) return rest;
            ulong window = record->SendWindow;
            bool outgrown = BufferSizes.HasOutgrown(fd, record);
            if (record->SendWindow > window) continue;
            if (!Blocking.Waits(fd, record, 0, ref waiting))
            {
                if (outgrown) { Sender.GoBack(record, Reason.KernelOnlyOption); return moved > 0 ? moved : WentBack; }
                Volatile.Write(ref record->SendBlocked, 1);
                Registrations.Heat(record);
                return moved > 0 ? moved : -Linux.EAGAIN;
            }
            ulong head = Volatile.Read(ref outgoing->Head);
            int waited = Waiter.ForOutput(fd, record, ref deadline);
            if (waited == 0 && outgrown && Volatile.Read(ref outgoing->Head) == head && !RingReadiness.HasRoom(record, outgoing)) Sender.GoBack(record, Reason.KernelOnlyOption);
            if (waited == -Linux.EPIPE)
            {
                // A closed doorbell says nothing of a peer on another host.
                if (!ReturnMark.IsMirrored(record) || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) == 0) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
                Sender.GoBack(record, Reason.PeerClosed);
            }
            else if (waited < 0 || (waited > 0 && moved > 0)) return moved > 0 ? moved : waited;
            else if (waited > 0) { waiting = Blocking.Unasked; deadline = Waiter.Unknown; }
        }
        return moved;
    }

    /// <summary>Whether a file has more: 1, 0 at its end, or a negative errno.</summary>
    private static nint Rest(int source, long* offset)
    {
        byte one;
        return Process.FromLibc(Process.Libc->pread(source, &one, 1, offset != null ? *offset : Process.Libc->lseek(source, 0, Linux.SEEK_CUR)));
    }
}
