using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// <see cref="Recall"/> for a mirrored ring: the request goes to the router, and either it answers that the sender never switched, or the sender's mark comes. A request
/// that is not answered in time is withdrawn, which the other side must confirm. Follows <c>shim/models/withdrawal.pml</c>.
/// </summary>
internal static unsafe class MirroredRecall
{
    /// <summary>Once its sender's side has promised the mark, it comes behind all that the kernel has still to carry.</summary>
    private const ulong MarkNanoseconds = 10_000_000_000;

    /// <summary>Routers answer at once, or the way between them is found to be lost after some seconds.</summary>
    private const ulong AnswerNanoseconds = 6_000_000_000;

    /// <summary>A sender whose way is lost returns when it, or its router for it, comes to it.</summary>
    private const ulong LossNanoseconds = 1_500_000_000;

    public static void Ask(ConnectionRecord* record)
    {
        if (Interlocked.CompareExchange(ref Block.Incoming(record)->ReaderWantsKernel, (uint)RecallState.Asked, (uint)RecallState.None) == (uint)RecallState.None) Doorbell.RingAlways(record);
    }

    /// <summary>Sender: takes a request up, if there is one that has not been withdrawn. What it does next is a return.</summary>
    public static bool TakeUp(RingBlockHeader* outgoing) =>
        Interlocked.CompareExchange(ref outgoing->ReaderWantsKernel, (uint)RecallState.TakenUp, (uint)RecallState.Asked) == (uint)RecallState.Asked;

    /// <summary>
    /// True once the next kernel byte is the program's next byte, and no mark is behind it. False if the peer does not answer in time, and the request is withdrawn: a mark
    /// comes for other reasons only, and this end, which knows of it, reads on. False, too, if that cannot be known: the next reader must know of marks.
    /// </summary>
    public static bool Await(ConnectionRecord* record, ulong deadline)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        while (true)
        {
            int fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
            if (fd < 0 || !ThreadLock.Enter(&record->ReceiveLock)) return true;
            bool plain = IsPlain(fd, record, out bool hindered);
            ThreadLock.Exit(&record->ReceiveLock);
            if (plain) return true;
            if (Process.Now() >= deadline && (Interlocked.CompareExchange(ref incoming->ReaderWantsKernel, (uint)RecallState.Withdrawn, (uint)RecallState.Asked) == (uint)RecallState.Asked)) Doorbell.RingAlways(record);
            if (Process.Now() >= deadline && IsOver(record, incoming, deadline, hindered)) return false;
            Process.Libc->poll(null, 0, 1);
        }
    }

    private static bool IsOver(ConnectionRecord* record, RingBlockHeader* incoming, ulong deadline, bool hindered)
    {
        Doorbell.LookForPeer(record);
        if (Reattachment.IsWayLost(record)) return hindered || Process.Now() >= deadline + LossNanoseconds;
        return (RecallState)Volatile.Read(ref incoming->ReaderWantsKernel) switch
        {
            RecallState.None => true,
            RecallState.TakenUp => hindered || Process.Now() >= deadline + MarkNanoseconds,
            _ => Process.Now() >= deadline + AnswerNanoseconds,
        };
    }

    /// <summary>Told once by the kernel: the next program's.</summary>
    private static bool HasOnlyError(int fd)
    {
        int waiting = 0;
        PollDescriptor look = new() { Descriptor = fd };
        return Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLERR) != 0 && Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting) == 0 && waiting == 0;
    }

    /// <param name="fd">The connection's.</param>
    /// <param name="record">The connection.</param>
    /// <param name="hindered">Bytes that are the next program's are before the mark: it cannot be read, however long one waits.</param>
    private static bool IsPlain(int fd, ConnectionRecord* record, out bool hindered)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        hindered = false;
        while (true)
        {
            switch (Gate.Phase(&record->ReceiveGate))
            {
                case DirectionPhase.Ready:
                    uint handover = Volatile.Read(ref incoming->Handover);
                    if (handover == (uint)HandoverState.Kernel) { Gate.Set(&record->ReceiveGate, DirectionPhase.Back); return true; }
                    if (handover >= (uint)HandoverState.Ring)
                    {
                        if (!Handover.TakeUpRing(record, incoming)) return true;
                        continue;
                    }
                    if (HasOnlyError(fd)) return true;
                    // Bytes before the mark are in its way, and the next program's.
                    nint before = ReceiveReturn.Scan(fd, record, 1, out bool marked);
                    hindered = before > 0;
                    if (before != 0 || !marked) return false;
                    if (ReceiveReturn.TakeWhileReady(fd, record, incoming) == ReceiveReturn.Taken) continue;
                    return false;

                case DirectionPhase.Ring:
                    hindered = record->KernelConsumed < record->ReceiveSwitchAt;
                    if (hindered || HasOnlyError(fd)) return false;
                    // What is unread in the ring comes by the kernel too, if the ring is not read any further.
                    if (ReceiveReturn.Take(fd, record, incoming, stop: true) != ReceiveReturn.Taken || RingReader.Available(record, incoming) != 0) return false;
                    Gate.Set(&record->ReceiveGate, DirectionPhase.Returning);
                    continue;

                case DirectionPhase.Returning:
                    if (ReceiveReturn.Drop(fd, record) <= 0) return false;
                    Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
                    return true;

                default:
                    return true;
            }
        }
    }
}
