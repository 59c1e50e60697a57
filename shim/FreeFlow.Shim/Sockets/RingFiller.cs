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
    /// <param name="flags">MSG_DONTWAIT or 0.</param>
    /// <param name="once">True for a pipe, which would block where splice(2) returns what there was.</param>
    public static nint Fill(int fd, ConnectionRecord* record, int source, long* offset, nuint count, int flags, bool once)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        nint moved = 0;
        ulong deadline = Waiter.Unknown;
        while ((nuint)moved < count)
        {
            // A pipe may have nothing yet: wait for it before the lock is taken.
            if (once && Source.Wait(source, Linux.POLLIN, (flags & Linux.MSG_DONTWAIT) != 0) is var ready && ready < 0) return moved > 0 ? moved : ready;
            if (!ThreadLock.Enter(&record->SendLock)) return moved > 0 ? moved : -Linux.EAGAIN;
            nint step = 0;
            nuint room = 0;
            byte* target = Gate.Phase(&record->SendGate) == DirectionPhase.Ring ? RingWriter.Reserve(record, outgoing, count - (nuint)moved, out room) : null;
            if (target != null)
            {
                step = Process.FromLibc(offset != null ? Process.Libc->pread(source, target, room, *offset) : Process.Libc->read(source, target, room));
                if (step > 0)
                {
                    RingWriter.Publish(record, outgoing, (nuint)step);
                    if (offset != null) *offset += step;
                    moved += step;
                }
            }
            ThreadLock.Exit(&record->SendLock);
            _ = Recall.Answer(record, fd);
            if (target != null)
            {
                if (step > 0 && !once) continue;
                return moved > 0 ? moved : step;
            }
            if (room != 0) Sender.GoBack(record, Reason.CorruptRing);
            if (!Sender.IsOnRing(fd, record, 0)) return moved > 0 ? moved : WentBack;
            if ((flags & Linux.MSG_DONTWAIT) != 0 || Receiver.IsNonBlocking(fd, record))
            {
                Volatile.Write(ref record->SendBlocked, 1);
                Registrations.Heat(record);
                return moved > 0 ? moved : -Linux.EAGAIN;
            }
            int waited = Waiter.ForOutput(fd, record, ref deadline);
            if (waited == -Linux.EPIPE) Sender.GoBack(record, Reason.PeerClosed);
            else if (waited < 0) return moved > 0 ? moved : waited;
        }
        return moved;
    }
}
