using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>sendfile(2) and splice(2): file and pipe bytes go straight into ring memory, and out of it.</summary>
internal static unsafe class CopyingCalls
{
    private const uint SpliceNonBlock = 2, SpliceFlags = 15;

    [Interpose("ssize_t sendfile(int fd, int source, long* offset, size_t count)", Aliases = "sendfile64", Guard = "(FF_FLAGS(fd) | FF_FLAGS(source)) & FF_CONNECTION")]
    public static nint SendFile(int fd, int source, long* offset, nuint count)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) return IntoPipe(fd, source, offset, count);
        if (Sender.IsOnRing(fd, record, 0))
        {
            long position = 0;
            if (offset != null && !CallerMemory.TryRead(offset, &position)) return Process.Result(-Linux.EFAULT);
            // What the kernel refuses, it refuses before it moves a byte: a source without a position, a wrong count, an end beyond all files.
            if ((nint)count <= 0 || (long)((ulong)position + count) < 0 || (offset == null && Process.Libc->lseek(source, 0, Linux.SEEK_CUR) < 0)) return Process.Libc->sendfile(fd, source, offset, count);
            nint moved = RingFiller.Fill(fd, record, source, offset == null ? null : &position, count < Vectors.MostBytes ? count : Vectors.MostBytes, fromPipe: false, dontWait: false);
            Orphans.Release(record);
            // The kernel, too, finds out that it cannot tell the position when the bytes are gone.
            if (moved != RingFiller.WentBack) return Process.Result(offset == null || CallerMemory.TryWrite(offset, position) ? moved : -Linux.EFAULT);
        }
        int entered = Sender.EnterKernel(fd, record, 0);
        if (entered == 0) return SendFile(fd, source, offset, count);
        if (entered < 0) return Process.Result(entered);
        nint sent = Process.FromLibc(Process.Libc->sendfile(fd, source, offset, count));
        return Process.Result(Sender.LeaveKernel(fd, record, true, sent));
    }

    [Interpose("ssize_t splice(int source, long* sourceOffset, int target, long* targetOffset, size_t count, unsigned flags)", Guard = "(FF_FLAGS(source) | FF_FLAGS(target)) & FF_CONNECTION")]
    public static nint Splice(int source, long* sourceOffset, int target, long* targetOffset, nuint count, uint flags)
    {
        ConnectionRecord* to = Connections.Find(target), from = Connections.Find(source);
        // SPLICE_F_NONBLOCK speaks of the pipe; whether the socket waits is its own matter.
        bool odd = sourceOffset != null || targetOffset != null || (nint)count <= 0 || (flags & ~SpliceFlags) != 0, dontWait = (flags & SpliceNonBlock) != 0;
        if (to == null)
        {
            if (from == null || odd || !PipeEnd.Is(target, Linux.O_WRONLY, out bool full)) return Process.Libc->splice(source, sourceOffset, target, targetOffset, count, flags);
            return Process.Result(RingEmptier.Splice(source, from, target, count, flags, dontWait | full));
        }
        if (Sender.IsOnRing(target, to, 0))
        {
            if (odd || !PipeEnd.Is(source, Linux.O_RDONLY, out bool empty)) return Process.Libc->splice(source, sourceOffset, target, targetOffset, count, flags);
            nint moved = RingFiller.Fill(target, to, source, null, count, fromPipe: true, dontWait | empty);
            Orphans.Release(to);
            if (moved != RingFiller.WentBack) return Process.Result(moved);
        }
        int entered = Sender.EnterKernel(target, to, 0);
        if (entered == 0) return Splice(source, sourceOffset, target, targetOffset, count, flags);
        if (entered < 0) return Process.Result(entered);
        nint sent = Process.FromLibc(Process.Libc->splice(source, sourceOffset, target, targetOffset, count, flags));
        return Process.Result(Sender.LeaveKernel(target, to, true, sent));
    }

    /// <summary>sendfile(2) from a connection: the kernel splices it into a pipe, and refuses anything else.</summary>
    private static nint IntoPipe(int pipe, int source, long* offset, nuint count)
    {
        ConnectionRecord* from = Connections.Find(source);
        if (from == null || offset != null || (nint)count <= 0 || !PipeEnd.Is(pipe, Linux.O_WRONLY, out bool nonBlocking)) return Process.Libc->sendfile(pipe, source, offset, count);
        return Process.Result(RingEmptier.Splice(source, from, pipe, count, nonBlocking ? SpliceNonBlock : 0, nonBlocking));
    }
}
