using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Connections of this process that share one doorbell, because the peer process is the same and descriptors are short: a circle in <see cref="Connections.Local"/>.
/// Callers hold the lock of <see cref="Connections"/>.
/// </summary>
internal static unsafe class DoorbellMates
{
    /// <summary>Gives a connection its mate's doorbell; false if the mate is not open here any more.</summary>
    public static bool Join(in Join join)
    {
        uint mate = join.Mate - 1;
        if (mate >= FamilyLayout.RecordCount || mate == join.Connection) return false;
        ConnectionRecord* home = Family.Records + mate, record = Family.Records + join.Connection;
        if (home->Generation != join.MateGeneration || Connections.Local[mate].FirstDescriptor == 0 || home->RingAddress == 0 || home->DoorbellState == 0) return false;
        Interlocked.Increment(ref ((DoorbellState*)home->DoorbellState)->Users);
        record->Doorbell = home->Doorbell;
        record->DoorbellState = home->DoorbellState;
        Connections.Local[join.Connection].NextMate = Connections.Local[mate].NextMate == 0 ? mate + 1 : Connections.Local[mate].NextMate;
        Connections.Local[mate].NextMate = join.Connection + 1;
        return true;
    }

    /// <summary>Takes a connection off its circle; true if it was the doorbell's last here, so that the descriptor goes with it.</summary>
    public static bool Leave(uint connection)
    {
        uint next = Connections.Local[connection].NextMate;
        Connections.Local[connection].NextMate = 0;
        if (next == 0) return true;
        uint before = next;
        while (Connections.Local[before - 1].NextMate != connection + 1) before = Connections.Local[before - 1].NextMate;
        Connections.Local[before - 1].NextMate = before == next ? 0 : next;
        return false;
    }

    /// <summary>The next of a connection's circle, index plus one; 0 if it has its doorbell for itself.</summary>
    public static uint After(uint connection) => Connections.Local[connection].NextMate;
}
