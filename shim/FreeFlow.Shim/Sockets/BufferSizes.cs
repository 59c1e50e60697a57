using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// SO_SNDBUF and SO_RCVBUF (socket(7)): a program that makes them small wants its sender to stop early, and to hear of a peer that does not read. Buffers
/// that nobody has set grow by themselves (tcp(7), tcp_wmem), far beyond a ring.
/// </summary>
internal static unsafe class BufferSizes
{
    /// <summary>Bits of SO_BUF_LOCK: which buffer was set by the program. Kernels before 5.16 do not say: their rings are used whole.</summary>
    private const int SendLocked = 1, ReceiveLocked = 2;

    /// <summary>
    /// A thread that waits for room looks so often whether there is more because somebody has asked for it: its doorbell is the peer's to ring, and nothing of the kernel's wakes
    /// a thread of this process, or of a relative, for it.
    /// </summary>
    public const ulong LookNanoseconds = 20_000_000;

    /// <summary>What a receiver takes at first whose buffer nobody has set (tcp_rmem).</summary>
    private const uint UsualReceiveBuffer = 128 * 1024;

    /// <summary>A program has set one of the options. More room wakes whoever waits for it, as in the kernel.</summary>
    public static void Changed(int fd, int option)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null || record->RingAddress == 0) return;
        if (option is Linux.SO_RCVBUF or Linux.SO_RCVBUFFORCE)
        {
            TellWriter(fd, record);
            Doorbell.NotifyWriter(record, Block.Incoming(record));
            return;
        }
        uint before = record->SendWindow;
        LimitSender(fd, record);
        if (record->SendWindow <= before && !HasOutgrown(fd, record)) return;
        if (HasOutgrown(fd, record) && Gate.Phase(&record->SendGate) == DirectionPhase.Ring && !RingWriter.IsWritable(record, Block.Outgoing(record)))
            Sender.GoBack(record, Reason.KernelOnlyOption);
        Registrations.Heat(record);
        Registrations.NudgeRelatives(record);
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
        uint peer = Volatile.Read(ref Block.Outgoing(record)->ReaderBuffer);
        Connections.Local[Connections.IndexOf(record)].ReaderBuffer = peer;
        if ((Option(fd, Linux.SO_BUF_LOCK) & SendLocked) == 0) return;
        ulong window = (ulong)Half(fd, Linux.SO_SNDBUF) + (peer != 0 ? peer : UsualReceiveBuffer);
        if (window < RingLayout.MinimumCapacity) window = RingLayout.MinimumCapacity;
        if (window > record->Capacity) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Outgrown);
        else Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.Outgrown);
        Volatile.Write(ref record->SendWindow, (uint)(window < record->Capacity ? window : record->Capacity));
    }

    /// <summary>Writer, where the ring is full: the reader may have made its buffer larger, or smaller.</summary>
    public static void Refresh(int fd, ConnectionRecord* record)
    {
        if (Volatile.Read(ref Block.Outgoing(record)->ReaderBuffer) != Connections.Local[Connections.IndexOf(record)].ReaderBuffer) LimitSender(fd, record);
    }

    /// <summary>
    /// True if a sender that finds the ring full must go on in the kernel, because the program has asked for more room since the ring was made. A ring to another host is as
    /// large as the way there needs.
    /// </summary>
    public static bool HasOutgrown(int fd, ConnectionRecord* record)
    {
        if (ReturnMark.IsMirrored(record)) return false;
        Refresh(fd, record);
        return (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.Outgrown) != 0;
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
