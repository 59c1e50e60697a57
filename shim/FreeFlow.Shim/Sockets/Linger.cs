using System.Runtime.InteropServices;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>struct linger: what close(2) does with a socket's unsent bytes (SO_LINGER, socket(7)). errno may change.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Linger
{
    public int On;
    public int Seconds;

    /// <summary>On, with no time: close(2) resets the connection.</summary>
    public readonly bool IsReset => On != 0 && Seconds == 0;

    /// <summary>What is set; off if the descriptor is none.</summary>
    public static Linger Of(int fd)
    {
        Linger linger = default;
        uint length = (uint)sizeof(Linger);
        return Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, &linger, &length) == 0 ? linger : default;
    }

    /// <summary>Makes the last close(2) a reset.</summary>
    public static void ResetAtClose(int fd)
    {
        Linger reset = new() { On = 1 };
        Process.Libc->setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, &reset, (uint)sizeof(Linger));
    }
}
