using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// SO_SNDBUF and SO_RCVBUF (socket(7)): a program that makes them small wants its sender to stop early, and to hear of a peer that does not read. Buffers
/// that nobody has set grow by themselves (tcp(7), tcp_wmem), far beyond a ring.
/// </summary>
internal static unsafe class BufferSizes
{
    /// <summary>Bits of SO_BUF_LOCK: which buffer was set by the program. Kernels before 5.16 do not say: their rings are used whole.</summary>
    private const int SendLocked = 1, ReceiveLocked = 2;

    /// <summary>What a receiver takes at first whose buffer nobody has set (tcp_rmem).</summary>
    private const uint UsualReceiveBuffer = 128 * 1024;

    /// <summary>A program has set one of the options.</summary>
    public static void Changed(int fd, int option)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null || record->RingAddress == 0) return;
        if (option is Linux.SO_SNDBUF or Linux.SO_SNDBUFFORCE) LimitSender(fd, record);
        else TellWriter(fd, record);
    }

    /// <summary>Reader: lets the peer know.</summary>
    public static void TellWriter(int fd, ConnectionRecord* record)
    {
        if ((Option(fd, Linux.SO_BUF_LOCK) & ReceiveLocked) != 0)
            Volatile.Write(ref Block.Incoming(record)->ReaderBuffer, Half(fd, Linux.SO_RCVBUF));
    }

    /// <summary>Writer: the ring takes as much as both buffers would. What the peer says can only stop a sender as a peer that does not read could.</summary>
    public static void LimitSender(int fd, ConnectionRecord* record)
    {
        if ((Option(fd, Linux.SO_BUF_LOCK) & SendLocked) == 0) return;
        uint peer = Volatile.Read(ref Block.Outgoing(record)->ReaderBuffer);
        ulong window = (ulong)Half(fd, Linux.SO_SNDBUF) + (peer != 0 ? peer : UsualReceiveBuffer);
        if (window < RingLayout.MinimumCapacity) window = RingLayout.MinimumCapacity;
        Volatile.Write(ref record->SendWindow, (uint)(window < record->Capacity ? window : record->Capacity));
    }

    /// <summary>True if the kernel's send buffer takes so many bytes at once, with what it needs besides for its own headers.</summary>
    public static bool HasRoomFor(int fd, ulong bytes)
    {
        const int sendBuffer = 3, queued = 5, words = 9;   // SK_MEMINFO_SNDBUF, SK_MEMINFO_WMEM_QUEUED
        uint* memory = stackalloc uint[words];
        uint length = words * sizeof(uint);
        int errno = Process.Errno;
        bool known = Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_MEMINFO, memory, &length) == 0 && length > queued * sizeof(uint);
        Process.Errno = errno;
        return known && memory[queued] + bytes + (bytes / 4) + RingLayout.PageBytes <= memory[sendBuffer];
    }

    /// <summary>The kernel reports twice what was asked for, to have room for its own headers.</summary>
    private static uint Half(int fd, int option) => (uint)(Option(fd, option) / 2);

    private static int Option(int fd, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        int errno = Process.Errno;
        if (Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, option, &value, &length) != 0) value = 0;
        Process.Errno = errno;
        return value < 0 ? 0 : value;
    }
}
