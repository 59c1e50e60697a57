using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Ends a socket before its last close(2), because somebody else still holds a copy of it for a moment, as that close would.</summary>
internal static unsafe class KernelEnd
{
    public static void Now(int fd)
    {
        int unread = 0;
        ulong linger = 0;
        uint size = sizeof(ulong);
        Process.Libc->ioctl(fd, Linux.FIONREAD, &unread);
        Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, &linger, &size);
        // struct linger { l_onoff = 1, l_linger = 0 }, or bytes that nobody has read: a reset (tcp(7)), which connect(2) to AF_UNSPEC sends, too.
        if (unread == 0 && linger != 1) { Process.Libc->shutdown(fd, Linux.SHUT_RDWR); return; }
        ulong* nobody = stackalloc ulong[2];
        nobody[0] = nobody[1] = 0;
        Process.Libc->connect(fd, nobody, 2 * sizeof(ulong));
    }
}
