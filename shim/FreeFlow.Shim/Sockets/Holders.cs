using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Which processes of the family have a connection open. A connection is offered only while there is one: before that, bytes could be moved by a
/// process that has no ring. Between a fork and its parent's return the child is counted without a name.
/// </summary>
internal static unsafe class Holders
{
    private const int Places = 6;

    /// <summary>Takes this process off; true if no living one is left.</summary>
    public static bool Leave(ConnectionRecord* record, int fd)
    {
        bool named = false;
        for (int i = 0; i < Places && !named; i++)
            named = Interlocked.CompareExchange(ref record->Holders[i], 0, Process.Id) == Process.Id;
        if (!named) TakeUnnamed(record);
        return IsSole(record, fd);
    }

    /// <summary>Gives the unnamed child of a fork its name; a child that was never born (−1) is taken off.</summary>
    public static void Name(ConnectionRecord* record, int child)
    {
        // The child may have left already, by the unnamed count.
        if (child <= 0) { TakeUnnamed(record); return; }
        for (int i = 0; i < Places; i++)
        {
            if (Volatile.Read(ref record->Holders[i]) != 0) continue;
            if (!TakeUnnamed(record)) return;
            if (Interlocked.CompareExchange(ref record->Holders[i], child, 0) == 0) return;
            Interlocked.Increment(ref record->MoreHolders);
        }
    }

    /// <summary>True if no other living process holds it; dead ones are struck off.</summary>
    public static bool IsSole(ConnectionRecord* record, int fd = -1)
    {
        if (Volatile.Read(ref record->MoreHolders) != 0 || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ForeignHolder) != 0) return false;
        for (int i = 0; i < Places; i++)
        {
            int holder = Volatile.Read(ref record->Holders[i]);
            if (holder == 0 || holder == Process.Id) continue;
            bool gone = Process.Libc->kill(holder, 0) != 0 && Process.Errno == Linux.ESRCH;
            if (!gone && !Descendant.HasLetGo(holder, record, fd)) return false;
            Interlocked.CompareExchange(ref record->Holders[i], 0, holder);
        }
        return true;
    }

    private static bool TakeUnnamed(ConnectionRecord* record)
    {
        while (true)
        {
            uint seen = Volatile.Read(ref record->MoreHolders);
            if (seen == 0) return false;
            if (Interlocked.CompareExchange(ref record->MoreHolders, seen - 1, seen) == seen) return true;
        }
    }
}
