using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Memory;

/// <summary>
/// Gives memory back to the system when a thread has slept for a while: ring pages, and the rings of closed connections. Pages only the writer may give back: it alone
/// knows that nobody reads them. A ring keeps its first page, where small traffic starts again.
/// </summary>
internal static unsafe class Trimmer
{
    /// <summary>How long a thread sleeps before it looks for what to give back.</summary>
    public const ulong PatienceNanoseconds = 1_000_000_000;

    private const int RemovePages = 9;   // MADV_REMOVE, madvise(2)

    private static uint _pagesDue;
    private static ulong _grownAt;
    private static uint _gravesDue;
    private static ulong _gravesSeenAt;

    /// <summary>Notes that a ring has grown beyond its first page.</summary>
    public static void Note(ConnectionRecord* record)
    {
        if ((record->Flags & (uint)ConnectionFlags.Grown) != 0) return;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Grown);
        _grownAt = Process.Now();
        Volatile.Write(ref _pagesDue, 1);
    }

    /// <summary>Notes that a closed connection's ring waits to be let go.</summary>
    public static void NoteGrave()
    {
        if (Volatile.Read(ref _gravesDue) != 0) return;
        _gravesSeenAt = Process.Now();
        Volatile.Write(ref _gravesDue, 1);
    }

    /// <summary>The time to sleep at most, out of <paramref name="left"/>, so that <see cref="AfterSleep"/> comes in time.</summary>
    public static ulong Limit(ulong left)
    {
        left = SendReturn.Limit(left);
        return (Volatile.Read(ref _pagesDue) | Volatile.Read(ref _gravesDue)) != 0 && left > PatienceNanoseconds ? PatienceNanoseconds : Session.Limit(left);
    }

    /// <summary>After a sleep that only its timeout ended.</summary>
    public static void AfterSleep()
    {
        if ((Volatile.Read(ref _pagesDue) | Volatile.Read(ref _gravesDue)) == 0) return;
        ulong now = Process.Now();
        if (now - _grownAt >= PatienceNanoseconds && Interlocked.Exchange(ref _pagesDue, 0) != 0) GivePagesBack();
        if (now - _gravesSeenAt >= PatienceNanoseconds && Interlocked.Exchange(ref _gravesDue, 0) != 0) TidyGraves();
    }

    private static void GivePagesBack()
    {
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            ConnectionRecord* record = Family.Records + i;
            if (Connections.Local[i].FirstDescriptor == 0 || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.Grown) == 0) continue;
            if (!ThreadLock.Enter(&record->SendLock)) continue;
            if (record->RingAddress != 0 && !Trim(record)) Volatile.Write(ref _pagesDue, 1);
            ThreadLock.Exit(&record->SendLock);
        }
    }

    private static void TidyGraves()
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        bool left = !locked || Graveyard.Tidy();
        if (locked) ThreadLock.Exit(Connections.LockWord());
        if (left) NoteGrave();
    }

    private static bool Trim(ConnectionRecord* record)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        // A return goes on reading the pages whatever the reader says.
        if (Gate.Phase(&record->SendGate) == DirectionPhase.Returning || RingWriter.Free(record, outgoing) < 0 || record->SendHeadSeen != record->SendTail) return false;
        Volatile.Write(ref outgoing->Base, record->SendTail);
        Volatile.Write(ref record->SendBase, record->SendTail);
        Process.Libc->madvise((byte*)outgoing + RingLayout.PageBytes, (nuint)(RingLayout.BlockBytes(record->Capacity) - RingLayout.PageBytes), RemovePages);
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.Grown);
        return true;
    }
}
