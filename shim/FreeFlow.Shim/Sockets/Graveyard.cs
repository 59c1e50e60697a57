using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Closed connections whose ring and doorbell stay a little longer: another thread of the process may be inside a call on them, as close(2) allows. The
/// socket itself is closed at once; what waits here is memory. Callers hold the lock of <see cref="Connections"/>.
/// </summary>
internal static unsafe class Graveyard
{
    private const int Places = 16;

    private struct Grave { public uint Connection; public bool LastHolder; public ulong Ring; public ulong Capacity; public int Doorbell; public bool Old; }

    private static Grave* _graves;
    private static uint _next;

    public static bool Create()
    {
        _graves = (Grave*)Process.Reserve((nuint)(Places * sizeof(Grave)));
        return _graves != null;
    }

    /// <summary>Keeps a connection's ring for now, and lets go of the one that has waited longest, if nobody is inside it.</summary>
    /// <param name="connection">Index of the record plus one.</param>
    /// <param name="lastHolder">True if the record itself is free afterwards.</param>
    public static void Bury(uint connection, bool lastHolder)
    {
        ConnectionRecord* record = Family.Records + (connection - 1);
        Bury(connection, lastHolder, record->RingAddress, record->Capacity, record->Doorbell);
    }

    public static void Bury(uint connection, bool lastHolder, ulong ring, ulong capacity, int doorbell)
    {
        if (!DoorbellMates.Leave(connection - 1)) doorbell = -1;
        for (int attempt = 0; attempt < Places; attempt++)
        {
            Grave* grave = _graves + (_next++ % Places);
            if (grave->Connection != 0 && IsVisited(Family.Records + (grave->Connection - 1))) continue;
            if (grave->Connection != 0) LetGo(grave);
            Trimmer.NoteGrave();
            *grave = new Grave { Connection = connection, LastHolder = lastHolder, Ring = ring, Capacity = capacity, Doorbell = doorbell };
            return;
        }
        // Every place is taken by a sleeper: this one is left to the end of the process.
    }

    /// <summary>
    /// After a sleep that nothing has ended: lets go of what has been here since the sleep before, too. True if something is left for the next one. Who entered a call
    /// on a connection before it was closed has had the time to be seen inside.
    /// </summary>
    public static bool Tidy()
    {
        bool left = false;
        for (int i = 0; i < Places; i++)
        {
            Grave* grave = _graves + i;
            if (grave->Connection == 0) continue;
            if (grave->Old && !IsVisited(Family.Records + (grave->Connection - 1))) { LetGo(grave); continue; }
            grave->Old = left = true;
        }
        return left;
    }

    /// <summary>A forked child has no other threads; what its parent has buried is not its own to free.</summary>
    public static void ForgetAfterFork()
    {
        for (int i = 0; i < Places; i++)
        {
            _graves[i].LastHolder = false;
            if (_graves[i].Connection != 0) LetGo(_graves + i);
            _graves[i] = default;
        }
    }

    /// <summary>True while a thread of any holder is inside a call on the connection.</summary>
    public static bool IsVisited(ConnectionRecord* record) =>
        Gate.IsBusy(&record->SendGate) || Gate.IsBusy(&record->ReceiveGate)
        || (Volatile.Read(ref record->SendLock) | Volatile.Read(ref record->ReceiveLock)) != 0
        || (record->DoorbellState != 0 && Volatile.Read(ref ((DoorbellState*)record->DoorbellState)->Sleepers) > 0);

    private static void LetGo(Grave* grave)
    {
        if (grave->Ring != 0)
        {
            OwnDescriptors.Close(grave->Doorbell);
            Process.Libc->munmap((void*)grave->Ring, Block.MappedBytes(grave->Capacity));
        }
        if (grave->LastHolder) Family.ReturnRecord(Family.Records + (grave->Connection - 1));
        grave->Connection = 0;
    }
}
