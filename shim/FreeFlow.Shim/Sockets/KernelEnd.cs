using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Ends a socket before its last close(2), because somebody else still holds a copy of it for a moment, as that close would.</summary>
internal static unsafe class KernelEnd
{
    public static void Now(int fd)
    {
        int unread = 0;
        Process.Libc->ioctl(fd, Linux.FIONREAD, &unread);
        // A reset is asked for, or due for bytes that nobody has read (tcp(7)): connect(2) to AF_UNSPEC sends one, too.
        if (unread == 0 && !Linger.Of(fd).IsReset) { Process.Libc->shutdown(fd, Linux.SHUT_RDWR); return; }
        Reset(fd);
    }

    /// <summary>The peer's kernel is told now; what follows from the last close(2) is nothing more.</summary>
    public static void Reset(int fd)
    {
        ulong* nobody = stackalloc ulong[2];
        nobody[0] = nobody[1] = 0;
        Process.Libc->connect(fd, nobody, 2 * sizeof(ulong));
    }
}
