using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Connections that were closed while another thread of the process slept in a call on them. The kernel keeps a socket until such a call has returned, and the
/// call may still succeed; so the connection lives on under a hidden number until then.
/// </summary>
internal static unsafe class Orphans
{
    /// <summary>Before the process's last close(2) of a connection: true if it is kept, and to be left by <see cref="Release"/>.</summary>
    public static bool Keep(int fd, uint connection)
    {
        LocalConnection* local = Connections.Local + (connection - 1);
        // This thread itself sleeps no more, if a jump has brought it here.
        Sleeper.Forget();
        if (Volatile.Read(ref local->Sleepers) == 0) return false;
        int hidden = OwnDescriptors.Duplicate(fd);
        if (hidden < 0) return false;
        Volatile.Write(ref local->Orphan, hidden + 1);
        return true;
    }

    /// <summary>The number under which a connection can be reached after a sleep on <paramref name="fd"/>; −1 if it has been closed.</summary>
    public static int Reach(ConnectionRecord* record, int fd)
    {
        int orphan = Volatile.Read(ref Connections.Local[Connections.IndexOf(record)].Orphan);
        if (orphan != 0) return orphan - 1;
        if (Connections.Find(fd) == record) return fd;
        // 0 is no descriptor: −1 then.
        return Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
    }

    /// <summary>After a call that may have slept: the last one closes what was kept for it.</summary>
    public static void Release(ConnectionRecord* record)
    {
        LocalConnection* local = Connections.Local + Connections.IndexOf(record);
        int orphan = Volatile.Read(ref local->Orphan);
        if (orphan == 0 || Volatile.Read(ref local->Sleepers) != 0 || Interlocked.CompareExchange(ref local->Orphan, 0, orphan) != orphan) return;
        int errno = Process.Errno;
        Connections.Leave(orphan - 1, record);
        OwnDescriptors.Close(orphan - 1);
        Process.Errno = errno;
    }
}
