using System.Runtime.InteropServices;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What the kernel says about a TCP stream's position (tcp(7), TCP_INFO). TCP_INFO is filled under the socket's lock, so its counters fit together.
/// </summary>
internal static unsafe class KernelCounters
{
    // struct tcp_info of Linux 4.19 and later: the fields up to tcpi_bytes_retrans.
    [StructLayout(LayoutKind.Explicit, Size = 216)]
    private struct TcpInfo
    {
        [FieldOffset(0)] public byte State;
        [FieldOffset(128)] public ulong BytesReceived;
        [FieldOffset(144)] public uint NotSentBytes;
        [FieldOffset(200)] public ulong BytesSent;
        [FieldOffset(208)] public ulong BytesRetransmitted;
    }

    /// <summary>Payload bytes ever queued for sending on this socket; −1 if the kernel cannot say.</summary>
    public static long Sent(int fd)
    {
        TcpInfo info;
        return Read(fd, &info) ? (long)(info.BytesSent - info.BytesRetransmitted + info.NotSentBytes) : -1;
    }

    /// <summary>Payload bytes ever read from this socket; −1 if the kernel cannot say. Nobody may read meanwhile; bytes may arrive.</summary>
    public static long Consumed(int fd)
    {
        TcpInfo info;
        for (int attempt = 0; attempt < 64; attempt++)
        {
            int before, after;
            if (Process.Libc->ioctl(fd, Linux.FIONREAD, &before) != 0 || !Read(fd, &info) || Process.Libc->ioctl(fd, Linux.FIONREAD, &after) != 0) return -1;
            if (before == after) return (long)info.BytesReceived - before;
        }
        return -1;
    }

    /// <summary>The connection's state as in tcp_states.h; 0 if it is no TCP socket.</summary>
    public static int State(int fd)
    {
        TcpInfo info;
        return Read(fd, &info) ? info.State : 0;
    }

    private static bool Read(int fd, TcpInfo* info)
    {
        uint length = (uint)sizeof(TcpInfo);
        return Process.Libc->getsockopt(fd, Linux.SOL_TCP, Linux.TCP_INFO, info, &length) == 0 && length == (uint)sizeof(TcpInfo);
    }
}
