using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// <see cref="Recall"/> for a mirrored ring: the request goes to the router, and either it answers that the sender never switched, or the sender's mark comes. Nothing
/// is lost by a request that is not answered in time: this end reads on as before.
/// </summary>
internal static unsafe class MirroredRecall
{
    public static void Ask(ConnectionRecord* record)
    {
        if (Interlocked.Exchange(ref Block.Incoming(record)->ReaderWantsKernel, 1) == 0) Doorbell.RingAlways(record);
    }

    /// <summary>Or a mark would come, whenever the peer hears of the request, to a program that may know of none.</summary>
    private static void Withdraw(ConnectionRecord* record)
    {
        if (Interlocked.Exchange(ref Block.Incoming(record)->ReaderWantsKernel, 0) != 0) Doorbell.RingAlways(record);
    }

    /// <summary>True once the next kernel byte is the program's next byte, and no mark is behind it.</summary>
    public static bool Await(ConnectionRecord* record, ulong deadline)
    {
        while (true)
        {
            int fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
            if (fd < 0 || !ThreadLock.Enter(&record->ReceiveLock)) return true;
            bool plain = IsPlain(fd, record);
            ThreadLock.Exit(&record->ReceiveLock);
            if (plain) return true;
            if (Process.Now() >= deadline) { Withdraw(record); return false; }
            Process.Libc->poll(null, 0, 1);
        }
    }

    /// <summary>Told once by the kernel: the next program's.</summary>
    private static bool HasOnlyError(int fd)
    {
        int waiting = 0;
        PollDescriptor look = new() { Descriptor = fd };
        return Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLERR) != 0 && Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting) == 0 && waiting == 0;
    }

    private static bool IsPlain(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
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
                    if (ReceiveReturn.Scan(fd, record, 1, out bool marked) != 0 || !marked) return false;
                    if (ReceiveReturn.TakeWhileReady(fd, record, incoming) == ReceiveReturn.Taken) continue;
                    return false;

                case DirectionPhase.Ring:
                    if (record->KernelConsumed < record->ReceiveSwitchAt) return false;
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
