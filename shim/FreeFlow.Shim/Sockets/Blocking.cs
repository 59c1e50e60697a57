using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Whether a call may wait.</summary>
internal static unsafe class Blocking
{
    /// <summary>Nobody has found out yet.</summary>
    public const int Unasked = 0;

    /// <summary>Whether a call may wait, found out once: O_NONBLOCK that is set while it sleeps is for the calls that follow, as in the kernel.</summary>
    public static bool Waits(int fd, ConnectionRecord* record, int flags, ref int answer)
    {
        const int yes = 1, no = 2;
        if (answer == Unasked) answer = (flags & Linux.MSG_DONTWAIT) == 0 && !IsNonBlocking(fd, record) ? yes : no;
        return answer == yes;
    }

    /// <summary>O_NONBLOCK: believed when set, asked again from the kernel when not, because the thread is about to sleep.</summary>
    public static bool IsNonBlocking(int fd, ConnectionRecord* record)
    {
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.NonBlocking) != 0) return true;
        return (Process.Libc->fcntl(fd, Linux.F_GETFL, null) & Linux.O_NONBLOCK) != 0;
    }
}
