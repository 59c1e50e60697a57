using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// For a connection that becomes another program's standard input when its peer has already shut down: the peer can send nothing again, so what
/// is unread in the ring goes into a pipe, whose end is the stream's end.
/// </summary>
internal static unsafe class UnreadBytes
{
    private const int SetPipeSize = 1031;   // F_SETPIPE_SZ, fcntl(2)
    private const int SmallestPipe = 65536;

    /// <summary>A pipe to read the rest of the stream from, or −1 if the kernel's socket will do (or nothing will).</summary>
    public static int IntoPipe(ConnectionRecord* record)
    {
        if (record->RingAddress == 0 || Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring || !ThreadLock.Enter(&record->ReceiveLock)) return -1;
        RingBlockHeader* incoming = Block.Incoming(record);
        long unread = RingReader.Available(record, incoming);
        bool ended = Volatile.Read(ref incoming->WriterClosed) != 0 && Volatile.Read(ref incoming->Handover) == (uint)Contract.HandoverState.Ring;
        int pipe = ended && unread > 0 ? Fill(record, incoming, (nuint)unread) : -1;
        ThreadLock.Exit(&record->ReceiveLock);
        return pipe;
    }

    private static int Fill(ConnectionRecord* record, RingBlockHeader* incoming, nuint unread)
    {
        int* ends = stackalloc int[2];
        if (Process.Libc->pipe(ends) != 0) return -1;
        // Without room for everything the write would wait for a reader that is not there yet.
        bool fits = unread <= SmallestPipe || Process.Libc->fcntl(ends[1], SetPipeSize, (void*)unread) >= 0;
        for (nuint left = unread; left > 0 && fits;)
        {
            byte* bytes = RingReader.Peek(record, incoming, record->ReceiveHead, left, out nuint length);
            nint written = Process.Libc->write(ends[1], bytes, length);
            fits = written > 0;
            if (!fits) break;
            RingReader.Release(record, incoming, (nuint)written);
            left -= (nuint)written;
        }
        Process.Libc->close(ends[1]);
        if (fits) return ends[0];
        Process.Libc->close(ends[0]);
        return -1;
    }
}
