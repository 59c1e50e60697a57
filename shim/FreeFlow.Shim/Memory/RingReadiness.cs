using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Memory;

/// <summary>What the ring alone says about readiness; reads only, no lock. What the kernel socket says is added by the callers.</summary>
internal static unsafe class RingReadiness
{
    /// <summary>As below; bytes count only if there are more than <paramref name="beyond"/>.</summary>
    public static bool HasInput(ConnectionRecord* record, RingBlockHeader* incoming, long beyond) =>
        HasInput(record, incoming) && (beyond == 0 || Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Ring
            || RingReader.Available(record, incoming) is var available && (available < 0 || available > beyond));

    /// <summary>True if a receive would find something the ring knows of: bytes in their turn, a switch to take up, a pending error.</summary>
    public static bool HasInput(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        switch (Gate.Phase(&record->ReceiveGate))
        {
            case DirectionPhase.Ready:
                return Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring;
            case DirectionPhase.Ring:
                if (Volatile.Read(ref record->KernelConsumed) < record->ReceiveSwitchAt) return false;
                if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0) return Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back;
                return RingReader.End(record, incoming) != Volatile.Read(ref record->ReceiveHead)
                    || Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back || record->PendingError != 0;
            default:
                return false;
        }
    }

    /// <summary>
    /// True if poll(2) should say POLLIN because of the ring: bytes that a receive would deliver. Unlike <see cref="HasInput"/> a mere change of state
    /// does not count.
    /// </summary>
    public static bool IsReadable(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        if (record->PendingError != 0 && !OwnMistake.Is(record->PendingError)) return true;
        if (phase == DirectionPhase.Ring && (record->Flags & (uint)ConnectionFlags.WantsKernel) != 0) return false;
        if (phase == DirectionPhase.Ring)
            return Volatile.Read(ref record->KernelConsumed) >= record->ReceiveSwitchAt && RingReader.End(record, incoming) != Volatile.Read(ref record->ReceiveHead)
                && LowWater.IsMet(record, incoming);
        return phase == DirectionPhase.Ready && Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring
            && Volatile.Read(ref incoming->SwitchAt) == Volatile.Read(ref record->KernelConsumed) && Volatile.Read(ref incoming->Tail) != 0;
    }

    /// <summary>How many bytes that were sent by the kernel before the ring was used are to be read first; some may still be on their way.</summary>
    public static ulong KernelRest(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        ulong switchAt = Gate.Phase(&record->ReceiveGate) switch
        {
            DirectionPhase.Ring => record->ReceiveSwitchAt,
            DirectionPhase.Ready when Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring => Volatile.Read(ref incoming->SwitchAt),
            _ => 0,
        };
        ulong consumed = Volatile.Read(ref record->KernelConsumed);
        return switchAt > consumed ? switchAt - consumed : 0;
    }

    /// <summary>True if a send may make progress, or must learn that the reader is gone.</summary>
    public static bool HasRoom(ConnectionRecord* record, RingBlockHeader* outgoing)
    {
        DirectionPhase phase = Gate.Phase(&record->SendGate);
        // After the own shutdown the kernel always says so, whatever is still on its way (tcp_poll).
        if (phase != DirectionPhase.Ring) return phase != DirectionPhase.Returning || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0;
        return RingWriter.IsWritable(record, outgoing)
            || (Volatile.Read(ref record->Flags) & (uint)(ConnectionFlags.PeerFinished | ConnectionFlags.SendShutdown | ConnectionFlags.DoorbellGone)) != 0
            || Volatile.Read(ref outgoing->ReaderClosed) != 0 || Volatile.Read(ref outgoing->ReaderWantsKernel) != 0;
    }
}
