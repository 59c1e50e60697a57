using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The peer was killed with bytes of this end unread. The kernel, had the bytes been its own, would have sent a reset (tcp(7)), where it now sends an end of stream: so the
/// shim tells the reset, once, to whoever comes first.
/// </summary>
internal static unsafe class PeerDeath
{
    private const ulong CertainNanoseconds = 50_000_000;

    /// <summary>After the kernel's end of stream: true if it stands for a reset that nobody has been told of. The socket is as after a reset from then on.</summary>
    public static bool IsReset(int fd, ConnectionRecord* record)
    {
        if (KernelKnows(fd, record) || !HasDiedUnread(record)) return false;
        // What follows is what follows a reset: nothing to read, EPIPE for a send, POLLHUP.
        Process.Libc->shutdown(fd, Linux.SHUT_RDWR);
        return true;
    }

    /// <summary>Before a sender goes back to the kernel: a reset is told by its next call.</summary>
    public static void Note(ConnectionRecord* record)
    {
        int fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1, errno = Process.Errno;
        if (fd >= 0 && !ReturnMark.IsMirrored(record) && (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.PeerFinished) != 0 && IsReset(fd, record))
            record->PendingError = Linux.ECONNRESET;
        Process.Errno = errno;
    }

    /// <summary>True if the kernel has had a reset: it tells it, or has told it. Behind the own shutdown(SHUT_WR) an end of stream looks the same.</summary>
    private static bool KernelKnows(int fd, ConnectionRecord* record)
    {
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0) return false;
        PollDescriptor look = new() { Descriptor = fd };
        return Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & (Linux.POLLERR | Linux.POLLHUP)) != 0;
    }

    /// <summary>
    /// End of stream, without a word from the peer's shim and with bytes of this end unread. Its death is certain once its doorbell is closed, which comes a moment after the
    /// socket.
    /// </summary>
    private static bool HasDiedUnread(ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record), outgoing = Block.Outgoing(record);
        if (Volatile.Read(ref incoming->WriterClosed) != 0 || Volatile.Read(ref record->SendTail) == Volatile.Read(ref outgoing->Head)) return false;
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ResetTold) != 0) return false;
        PollDescriptor wait = new() { Descriptor = record->Doorbell, Events = Linux.POLLRDHUP };
        // After the own shutdown(SHUT_RD) the kernel says the same of a peer that lives: no news to wait for.
        bool own = (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.ReceiveShutdown) != 0;
        TimeSpec time = new() { Nanoseconds = own ? 0 : (long)Stall.Allow(CertainNanoseconds) };
        ulong start = Process.Now();
        int dead = Process.Libc->ppoll(&wait, 1, &time, null);
        Stall.Spent(start);
        return dead > 0 && (Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.ResetTold) & (uint)ConnectionFlags.ResetTold) == 0;
    }
}
