using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Memory;

/// <summary>
/// Gives ring pages back to the system when a thread has slept for a while. Only the writer may: it alone knows that nobody reads them. A ring keeps its
/// first page, where small traffic starts again.
/// </summary>
internal static unsafe class Trimmer
{
    /// <summary>How long a thread sleeps before it looks for pages to give back.</summary>
    public const ulong PatienceNanoseconds = 1_000_000_000;

    private const int RemovePages = 9;   // MADV_REMOVE, madvise(2)

    private static uint _due;
    private static ulong _noted;

    /// <summary>Notes that a ring has grown beyond its first page.</summary>
    public static void Note(ConnectionRecord* record)
    {
        if ((record->Flags & (uint)ConnectionFlags.Grown) != 0) return;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Grown);
        _noted = Process.Now();
        Volatile.Write(ref _due, 1);
    }

    /// <summary>The time to sleep at most, out of <paramref name="left"/>, so that <see cref="AfterSleep"/> comes in time.</summary>
    public static ulong Limit(ulong left)
    {
        left = SendReturn.Limit(left);
        return Volatile.Read(ref _due) != 0 && left > PatienceNanoseconds ? PatienceNanoseconds : Session.Limit(left);
    }

    /// <summary>After a sleep that only its timeout ended: empties what can be emptied, if the last growth is a while ago.</summary>
    public static void AfterSleep()
    {
        if (Volatile.Read(ref _due) == 0 || Process.Now() - _noted < PatienceNanoseconds || Interlocked.Exchange(ref _due, 0) == 0) return;
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            ConnectionRecord* record = Family.Records + i;
            if (Connections.Local[i].FirstDescriptor == 0 || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.Grown) == 0) continue;
            if (!ThreadLock.Enter(&record->SendLock)) continue;
            if (record->RingAddress != 0 && !Trim(record)) Volatile.Write(ref _due, 1);
            ThreadLock.Exit(&record->SendLock);
        }
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
