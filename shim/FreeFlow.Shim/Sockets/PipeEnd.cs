using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>The other end of a splice(2): a pipe that may be empty or full, and that others may read or write meanwhile.</summary>
internal static unsafe class PipeEnd
{
    /// <summary>True for the end of a pipe that can be read, or written; whatever else is the kernel's to refuse.</summary>
    public static bool Is(int fd, int mode, out bool nonBlocking)
    {
        int flags = Process.Libc->fcntl(fd, Linux.F_GETFL, null);
        nonBlocking = (flags & Linux.O_NONBLOCK) != 0;
        return flags >= 0 && ((flags & Linux.O_ACCMODE) == mode || (flags & Linux.O_ACCMODE) == 2) && Process.Libc->fcntl(fd, Linux.F_GETPIPE_SZ, null) > 0;
    }

    /// <summary>Waits until the pipe can be read or written; 0, −EAGAIN if it cannot and the call must not wait, or −EINTR.</summary>
    public static int Wait(int pipe, short events, bool dontWait)
    {
        PollDescriptor wait = new() { Descriptor = pipe, Events = events };
        int ready = (int)Process.FromLibc(Process.Libc->poll(&wait, 1, dontWait ? 0 : -1));
        return ready > 0 ? 0 : ready == 0 ? -Linux.EAGAIN : ready;
    }

    /// <summary>Reads what there is, without waiting: the caller holds a lock, and another reader may have been faster.</summary>
    public static nint Read(int pipe, byte* target, nuint count)
    {
        IoVector vector = new() { Base = target, Length = count };
        nint read = Process.FromLibc(Process.Libc->preadv2(pipe, &vector, 1, -1, Linux.RWF_NOWAIT));
        return read is -Linux.EOPNOTSUPP or -Linux.ENOSYS ? Process.FromLibc(Process.Libc->read(pipe, target, count)) : read;
    }

    /// <summary>Writes what there is room for, likewise.</summary>
    public static nint Write(int pipe, byte* source, nuint count)
    {
        const nuint alwaysFits = 4096;   // What a writable pipe takes without blocking: PIPE_BUF, pipe(7).
        IoVector vector = new() { Base = source, Length = count };
        nint written = Process.FromLibc(Process.Libc->pwritev2(pipe, &vector, 1, -1, Linux.RWF_NOWAIT));
        return written is -Linux.EOPNOTSUPP or -Linux.ENOSYS ? Process.FromLibc(Process.Libc->write(pipe, source, count < alwaysFits ? count : alwaysFits)) : written;
    }
}
