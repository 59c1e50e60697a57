using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>Receives out of a ring, and sleeps where the call may wait.</summary>
internal static unsafe class RingReceive
{
    /// <summary>As recv(2) or readv(2): the bytes, a negative errno, <see cref="Receiver.ByKernel"/> or <see cref="Receiver.Anew"/>.</summary>
    public static nint Take(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        VectorCursor target = new(message->Vectors, message->VectorCount);
        bool all = (flags & Linux.MSG_WAITALL) != 0, peek = (flags & Linux.MSG_PEEK) != 0;
        nint received = 0, least = LowWater.Least(fd, record, VectorCursor.Total(message->Vectors, message->VectorCount));
        ulong deadline = Waiter.Unknown;
        int waiting = Blocking.Unasked;
        while (true)
        {
            // The ring is gone, and another one may come: the kernel's own wait is counted, this one's is not.
            if (received == 0 && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Kernel) return Receiver.Anew;
            // A receive for all ends where urgent data begins; the kernel, asked for nothing but what is behind it, would pass it over.
            if (received > 0 && all && UrgentMark.IsNext(fd, record)) return received;
            if (!ThreadLock.Enter(&record->ReceiveLock)) return received > 0 ? received : -Linux.EAGAIN;
            // Only the kernel has ancillary data, or can wait for more behind what is peeked at. All else waits here, where the peer's requests are heard.
            if ((message->Control != null || (peek && all)) && received == 0 && HasGoneBack(fd, record)) { ThreadLock.Exit(&record->ReceiveLock); return Receiver.ByKernel; }
            ulong consumed = record->KernelConsumed;
            bool seams = MirroredReceiver.HasSeams(record);
            nint step = ReceiveStep.Take(fd, record, ref target, flags);
            bool crossed = record->KernelConsumed != consumed && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && record->KernelConsumed >= record->ReceiveSwitchAt;
            ThreadLock.Exit(&record->ReceiveLock);
            // Until now the kernel reported this connection's input; from here on the ring does, to epoll sets that have not looked at it yet.
            if (crossed) Registrations.Heat(record);
            if (step > 0)
            {
                received += step;
                // Where the kernel's bytes end and the ring's begin, one read goes on as if there were no seam.
                bool more = !peek && (seams || RingReadiness.HasInput(record, Block.Incoming(record))) && !UrgentMark.IsNext(fd, record);
                bool wants = all || received < least;
                if (target.AtEnd || !(wants || more) || (wants && UrgentMark.IsNext(fd, record))) return received;
                if (!peek) continue;
                // While no ring carries anything yet, only the kernel can wait for more than it has.
                bool waits = Blocking.Waits(fd, record, flags, ref waiting), early = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready;
                if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back || (waits && early && Handover.Retract(record))) return Receiver.ByKernel;
                // Nothing was taken: wait until there is more than this, then look at all of it again.
                if (!waits) return received;
                if (!MayGrow(fd, record)) return all ? PeekAcross.ForAll(fd, record, message, flags, received) : received;
                int grown = Waiter.ForInput(fd, record, ref deadline, RingReader.Available(record, Block.Incoming(record)));
                fd = Orphans.Reach(record, fd);
                if (grown != 0 || fd < 0) return received;
                target = new VectorCursor(message->Vectors, message->VectorCount);
                received = 0;
                continue;
            }
            if (step != -Linux.EAGAIN)
            {
                if (received > 0 && step is < 0 and not -Linux.EFAULT) record->PendingError = (int)-step;
                return received > 0 ? received : step;
            }
            if (received == 0 && OwnMistake.Is(record->PendingError)) return -Interlocked.Exchange(ref record->PendingError, 0);
            if (received >= least && !all) return received;
            if (!Blocking.Waits(fd, record, flags, ref waiting))
            {
                Session.GlanceSometimes();
                return received > 0 ? received : -Linux.EAGAIN;
            }
            bool urgent = received > 0 && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back;
            if (urgent && UrgentMark.IsNextInKernel(fd)) return received;
            int waited = Waiter.ForInput(fd, record, ref deadline, urgent: urgent && !UrgentMark.IsThere(fd));
            if (waited < 0 || (waited > 0 && received > 0)) return received > 0 ? received : waited;
            if (waited > 0) { waiting = Blocking.Unasked; deadline = Waiter.Unknown; }
            fd = Orphans.Reach(record, fd);
            if (fd < 0) return received > 0 ? received : -Linux.EBADF;
        }
    }

    /// <summary>True if nothing is left in the ring and the writer is Back. Caller holds ReceiveLock.</summary>
    public static bool HasGoneBack(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back && record->KernelConsumed >= record->ReceiveSwitchAt)
        {
            if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0) Recall.Settle(record, incoming);
            else if (RingReader.Available(record, incoming) == 0 || ReceiveStep.IsAllInKernel(record, incoming) || Recall.IsUnheard(record, incoming))
                Handover.TakeUpKernel(record, incoming);
            // Behind what is dropped a shared ring's rest is as plain as what follows it.
            if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Returning && ReceiveReturn.Drop(fd, record) > 0 && !ReturnMark.IsMirrored(record))
                Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        }
        return Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back;
    }

    /// <summary>False if the stream has ended behind the ring's bytes, or goes on in the kernel.</summary>
    private static bool MayGrow(int fd, ConnectionRecord* record)
    {
        byte one;
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring || Volatile.Read(ref Block.Incoming(record)->Handover) != (uint)HandoverState.Ring) return false;
        nint look = Process.FromLibc(Process.Libc->recv(fd, &one, 1, Linux.MSG_PEEK | Linux.MSG_DONTWAIT));
        _ = PeekAcross.KeepError(record, look);
        return look == -Linux.EAGAIN;
    }
}
