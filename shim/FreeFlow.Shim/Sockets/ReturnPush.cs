using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Gives the kernel the mark of a return, if it has one, and the ring's rest behind it, as far as it takes them now. Callers hold SendLock and the turn (<see cref="ReturnTurns"/>).</summary>
internal static unsafe class ReturnPush
{
    private const int PiecesAtOnce = 3;

    /// <summary>
    /// True while the kernel has bytes that are not on their way: a mark that is queued behind them could be cut in two where a segment ends, and its first bytes
    /// taken for the program's.
    /// </summary>
    public static bool MustWaitForQueue(ConnectionRecord* record, int fd)
    {
        int unsent = 0;
        return record->SendReturned == 0 && ReturnMark.IsMirrored(record) && Process.Libc->ioctl(fd, Linux.SIOCOUTQNSD, &unsent) == 0 && unsent != 0;
    }

    public static bool Try(ConnectionRecord* record, RingBlockHeader* outgoing, int fd)
    {
        ulong head = ReturnMark.HeaderLength(record), total = head + (record->SendTail - record->SendReturnFrom);
        // What the router has given to the kernel meanwhile.
        ulong already = Volatile.Read(ref outgoing->ReturnSent);
        if (already > record->SendReturned && already <= total) NoteSent(record, already - record->SendReturned);
        byte* header = stackalloc byte[ReturnMark.HeaderBytes];
        IoVector* pieces = stackalloc IoVector[PiecesAtOnce];
        if (head != 0) ReturnMark.Write(record, header);
        while (record->SendReturned < total)
        {
            // An error that the kernel tells once is the program's.
            PollDescriptor look = new() { Descriptor = fd };
            if (Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLERR) != 0) return true;
            if (MustWaitForQueue(record, fd)) return false;
            nuint count = 0;
            ulong at = record->SendReturned;
            if (at < head) pieces[count++] = new IoVector { Base = header + at, Length = (nuint)(head - at) };
            ulong position = record->SendReturnFrom + (at < head ? 0 : at - head);
            for (; position < record->SendTail && count < PiecesAtOnce; count++)
            {
                pieces[count].Base = RingWriter.Unread(record, outgoing, position, out pieces[count].Length);
                position += pieces[count].Length;
            }
            MessageHeader message = new() { Vectors = pieces, VectorCount = count };
            nint sent = Process.FromLibc(Process.Libc->sendmsg(fd, &message, Linux.MSG_NOSIGNAL | Linux.MSG_DONTWAIT));
            if (sent is -Linux.EAGAIN or -Linux.EINTR or -Linux.ENOMEM) return false;
            if (sent < 0)
            {
                // Nobody reads any more; the kernel says EPIPE to every send, anything else only once.
                if (sent != -Linux.EPIPE) record->PendingError = (int)-sent;
                return true;
            }
            NoteSent(record, (ulong)sent);
            Volatile.Write(ref outgoing->ReturnSent, record->SendReturned);
        }
        return true;
    }

    private static void NoteSent(ConnectionRecord* record, ulong bytes)
    {
        record->SendReturned += bytes;
        Interlocked.Add(ref record->KernelSent, bytes);
    }
}
