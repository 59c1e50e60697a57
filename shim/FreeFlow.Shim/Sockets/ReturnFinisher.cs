using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A closed connection whose return the kernel has not taken yet, because its reader is slow: a small process stays behind that holds the socket until it has, as the
/// kernel would have held the bytes.
/// </summary>
internal static unsafe class ReturnFinisher
{
    /// <summary>Before the program's last close(2); the record may be freed afterwards.</summary>
    public static void Start(int fd, ConnectionRecord* record)
    {
        ConnectionRecord copy = *record;
        _ = LeftBehind.Start(out bool here);
        if (!here) return;
        LeftBehind.Become(fd, fd, fd);
        // The parent's lock, if any thread of it holds it now.
        copy.SendLock = 0;
        while (!SendReturn.Advance(&copy, fd)) ReturnWaiter.Sleep(fd, &copy);
        LeftBehind.Exit();
    }
}
