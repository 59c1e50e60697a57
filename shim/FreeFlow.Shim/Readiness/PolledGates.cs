using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>The gates of the connections in a poll(2) that have no ring: held, so that none gets one whose doorbell the call would not hear.</summary>
internal static unsafe class PolledGates
{
    /// <summary>
    /// Keeps the set's ringless connections in the kernel meanwhile, whose doorbells this call would not hear, and notes them: a ring may come, or the
    /// descriptor go, while the gate is held. False, with nothing held, if one of them is being taken up; with <paramref name="all"/> also if one has a ring by now.
    /// </summary>
    public static bool Hold(PollDescriptor* descriptors, nuint count, uint* held, bool all)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = PolledRings.Ringless(descriptors[i].Descriptor);
            bool entered = record != null && Gate.Enter(&record->ReceiveGate, &record->ReceiveLock);
            held[i] = entered ? Connections.IndexOf(record) + 1 : 0;
            bool late = all && record == null && PolledRings.Ring(descriptors[i].Descriptor) != null;
            if (!late && (record == null || entered || Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back)) continue;
            Leave(i, held);
            return false;
        }
        return true;
    }

    /// <summary>The opposite.</summary>
    public static void Leave(nuint count, uint* held)
    {
        for (nuint i = 0; i < count; i++) if (held[i] != 0) Gate.Leave(&Family.Records[held[i] - 1].ReceiveGate);
    }
}
