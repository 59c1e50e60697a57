using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// SO_RCVLOWAT above 1 that was set while a ring had unread bytes, which its peer did not take back: the ring waits for as many bytes as the kernel would. Marked
/// connections ask the kernel for the number each time; all others never come here.
/// </summary>
internal static unsafe class LowWater
{
    public static void Mark(ConnectionRecord* record)
    {
        if (record != null) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.LowWater);
    }

    private static bool IsMarked(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.LowWater) != 0;

    /// <summary>So many bytes a receive of <paramref name="total"/> waits for.</summary>
    public static nint Least(int fd, ConnectionRecord* record, nuint total) => !IsMarked(record) || total <= 1 ? 1 : Asked(fd) is var asked && asked < (nint)total ? asked : (nint)total;

    /// <summary>True if what is unread makes the connection readable.</summary>
    public static bool IsMet(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (!IsMarked(record)) return true;
        int fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1, behind = 0, errno = Process.Errno;
        nint asked = Asked(fd);
        if (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back) Process.Libc->ioctl(fd, Linux.FIONREAD, &behind);
        Process.Errno = errno;
        return RingReader.Available(record, incoming) + behind >= asked;
    }

    private static nint Asked(int fd)
    {
        int least = 1;
        uint length = sizeof(int);
        return Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_RCVLOWAT, &least, &length) == 0 && least > 1 ? least : 1;
    }
}
