using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>One step of a receive: whatever the direction's phase has next, of the kernel's bytes or the ring's.</summary>
internal static unsafe class ReceiveStep
{
    /// <summary>One attempt that never blocks. Caller holds ReceiveLock.</summary>
    public static nint Take(int fd, ConnectionRecord* record, ref VectorCursor target, int flags)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        while (true)
        {
            DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
            // A peek sees what is behind the ring, too, once the kernel has all of it.
            if (phase == DirectionPhase.Ring && (flags & Linux.MSG_PEEK) != 0 && IsAllInKernel(record, incoming) && Handover.TakeUpKernel(record, incoming)) continue;
            if (phase == DirectionPhase.Ring && record->KernelConsumed >= record->ReceiveSwitchAt && Recall.IsUnheard(record, incoming) && Handover.TakeUpKernel(record, incoming)) continue;
            switch (phase)
            {
                case DirectionPhase.Ready when ReturnMark.IsMirrored(record):
                    nint unmarked = MirroredReceiver.WhileReady(fd, record, incoming, VectorCursor.Total(ref target), peeks: (flags & Linux.MSG_PEEK) != 0);
                    if (unmarked == EmptyRing.Retry) continue;
                    return unmarked <= 0 ? unmarked : KernelReceive.Part(fd, record, ref target, flags, (nuint)unmarked);

                case DirectionPhase.Returning:
                    nint rest = MirroredReceiver.WhileReturning(fd, record);
                    if (rest == EmptyRing.Retry) continue;
                    if (rest <= 0) return rest;
                    nint came = KernelReceive.Part(fd, record, ref target, flags, (nuint)rest);
                    return came == 0 && !target.AtEnd ? MirroredReceiver.Reset(fd, record) : came;

                case DirectionPhase.Ready:
                    // Not Ready while the kernel is read: a writer that switched and went back meanwhile could put bytes behind the ring's into reach.
                    if (Interlocked.CompareExchange(ref incoming->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready) != (uint)HandoverState.Ready)
                    {
                        if (!Handover.TakeUpRing(record, incoming)) return EmptyRing.Corrupt(fd, record);
                        continue;
                    }
                    nint early = KernelReceive.Part(fd, record, ref target, flags, nuint.MaxValue);
                    Volatile.Write(ref incoming->Handover, (uint)HandoverState.Ready);
                    return early;

                case DirectionPhase.Ring:
                    if (record->KernelConsumed < record->ReceiveSwitchAt)
                    {
                        nuint before = (nuint)(record->ReceiveSwitchAt - record->KernelConsumed);
                        VectorCursor start = target;
                        nint part = KernelReceive.Part(fd, record, ref target, flags, before);
                        if ((flags & Linux.MSG_PEEK) == 0 || part != (nint)before) return part;
                        nint behind = RingReader.Read(record, incoming, ref target, true, (flags & Linux.MSG_TRUNC) != 0);
                        return behind < 0 ? part : part + behind + PeekAcross.Beyond(fd, record, incoming, start, ref target, flags, part, behind);
                    }
                    if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0)
                    {
                        bool back = Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back;
                        if (!back && !Recall.GiveUp(fd, record, incoming)) return -Linux.EAGAIN;
                        if (back && !Recall.Settle(record, incoming)) continue;
                    }
                    nint copied = RingReader.Read(record, incoming, ref target, (flags & Linux.MSG_PEEK) != 0, (flags & Linux.MSG_TRUNC) != 0);
                    if (copied > 0 && (flags & Linux.MSG_PEEK) != 0) return copied + PeekAcross.Behind(fd, record, incoming, ref target, flags, copied);
                    if (copied > 0) return copied;
                    if (copied < 0) return copied == RingWriter.BadBuffer ? -Linux.EFAULT : EmptyRing.Corrupt(fd, record);
                    nint beyond = EmptyRing.Look(fd, record, incoming);
                    if (beyond != EmptyRing.Retry) return beyond;
                    continue;

                default:
                    nint plain = KernelReceive.Part(fd, record, ref target, flags, nuint.MaxValue);
                    // A sender that is still in the ring learns of the end here.
                    if (plain == 0 && phase == DirectionPhase.Back && !target.AtEnd) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
                    return plain;
            }
        }
    }

    /// <summary>Shared rings: the writer has left the ring, and the kernel has taken all that it had to take.</summary>
    public static bool IsAllInKernel(ConnectionRecord* record, RingBlockHeader* incoming) =>
        Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back && !ReturnMark.IsMirrored(record)
        && Volatile.Read(ref incoming->Returner) == (uint)ReturnerState.Done && !ReceiveReturn.IsStopped(record, incoming);
}
