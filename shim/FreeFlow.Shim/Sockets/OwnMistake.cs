using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The program's own mistake in a later message of a recvmmsg(2), which that call has not told: the next one does, unless it finds bytes or the end of the
/// stream. Unlike an error of the connection it makes nothing readable.
/// </summary>
internal static unsafe class OwnMistake
{
    public static bool Is(int error) => error is Linux.EFAULT or Linux.EINVAL or Linux.EMSGSIZE;

    /// <summary>A pending error that a receive from the kernel is to tell now, as a negative errno; 0 if there is none.</summary>
    public static nint Tell(int fd, ConnectionRecord* record)
    {
        int error = record->PendingError;
        if (error == 0) return 0;
        byte one;
        if (Is(error) && Process.FromLibc(Process.Libc->recv(fd, &one, 1, Linux.MSG_PEEK | Linux.MSG_DONTWAIT)) != -Linux.EAGAIN) return 0;
        return -Interlocked.Exchange(ref record->PendingError, 0);
    }
}
