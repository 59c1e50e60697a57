using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>The end of a mirrored connection on this side: its stream is complete in the kernel, behind a mark, before the kernel ends it (docs/fabric.md).</summary>
internal static unsafe class MirroredClose
{
    /// <summary>Nothing more will be sent: the sending direction leaves the ring, or forgoes it. True if it has left the ring.</summary>
    public static bool Leave(ConnectionRecord* record, int fd = -1)
    {
        if (SendReturn.Forgo(record, fd, lost: false)) return true;
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring || !ThreadLock.Enter(&record->SendLock)) return false;
        bool back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
        if (back) Handover.SendBack(record, Reason.PeerClosed, fd);
        ThreadLock.Exit(&record->SendLock);
        return back;
    }

    /// <summary>
    /// This direction stays in the kernel for good, for a program that knows nothing of rings and may end the stream. A reader that is Ready, or will be, need not wait for a
    /// word of this end then: its ring has all that it will ever have.
    /// </summary>
    public static void NeverSwitches(ConnectionRecord* record)
    {
        if (!ThreadLock.Enter(&record->SendLock)) return;
        if (Gate.Phase(&record->SendGate) == DirectionPhase.Kernel)
        {
            Volatile.Write(ref Block.Outgoing(record)->WriterClosed, 1);
            Doorbell.RingAlways(record);
        }
        ThreadLock.Exit(&record->SendLock);
    }

    /// <summary>Before the last close(2); <paramref name="fd"/> is −1 if the number stands for something else already.</summary>
    public static void Announce(int fd, ConnectionRecord* record, bool exits)
    {
        RingBlockHeader* incoming = Block.Incoming(record), outgoing = Block.Outgoing(record);
        Linger linger = Linger.Of(fd);
        bool reset = linger.IsReset;
        if (!reset && fd >= 0) MirroredLook.TakeBeforeClose(fd, record);
        if (!reset && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && RingReader.Available(record, incoming) != 0)
        {
            Linger.ResetAtClose(fd);
            reset = true;
        }
        if (!reset && fd >= 0)
        {
            _ = Leave(record, fd);
            ReturnFinisher.AwaitOrStart(fd, record, exits ? default : linger);
        }
        Volatile.Write(ref incoming->ReaderClosed, RingBlockHeader.ReaderGone);
        Volatile.Write(ref outgoing->WriterClosed, 1);
        Doorbell.RingAlways(record);
    }
}
