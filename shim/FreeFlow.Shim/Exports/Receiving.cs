using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>read(2), recv(2) and their kin, each brought into the form of recvmsg(2).</summary>
internal static unsafe class ReceivingCalls
{
    [Interpose("ssize_t read(int fd, void* buffer, size_t count)", Aliases = "__read", Checked = "__read_chk(fd, buffer, count, limit) count")]
    public static nint Read(int fd, byte* buffer, nuint count) =>
        // Nothing at all is read without waiting, unlike by recv(2); a negative count is for the kernel to refuse.
        (nint)count > 0 ? One(fd, buffer, count, 0) : Process.Libc->read(fd, buffer, count);

    [Interpose("ssize_t recv(int fd, void* buffer, size_t count, int flags)", Aliases = "__recv", Checked = "__recv_chk(fd, buffer, count, limit, flags) count")]
    public static nint Recv(int fd, byte* buffer, nuint count, int flags) => One(fd, buffer, count < Vectors.MostBytes ? count : Vectors.MostBytes, flags);

    [Interpose("ssize_t recvfrom(int fd, void* buffer, size_t count, int flags, void* address, unsigned* length)", Checked = "__recvfrom_chk(fd, buffer, count, limit, flags, address, length) count")]
    public static nint RecvFrom(int fd, byte* buffer, nuint count, int flags, void* address, uint* length)
    {
        if (Connections.Find(fd) == null) return Process.Libc->recvfrom(fd, buffer, count, flags, address, length);
        nint received = Recv(fd, buffer, count, flags);
        if (received < 0 || address == null) return received;
        // A stream socket has no sender's address to tell (tcp(7)). The kernel, too, finds a bad length when the bytes are gone.
        uint room;
        if (!CallerMemory.TryRead(length, &room)) return Process.Result(-Linux.EFAULT);
        if ((int)room < 0) return Process.Result(-Linux.EINVAL);
        return CallerMemory.TryWrite(length, 0u) ? received : Process.Result(-Linux.EFAULT);
    }

    [Interpose("ssize_t readv(int fd, const void* vectors, int count)")]
    public static nint ReadV(int fd, IoVector* vectors, int count)
    {
        IoVector* copy = stackalloc IoVector[Vectors.OnStack];
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        nint total = Vectors.Import(ref message.Vectors, count, copy);
        if (total == 0 || Connections.Find(fd) == null) return Process.Libc->readv(fd, vectors, count);
        return total < 0 ? Process.Result(total) : Finish(fd, &message, 0);
    }

    [Interpose("ssize_t recvmsg(int fd, void* message, int flags)")]
    public static nint RecvMsg(int fd, MessageHeader* message, int flags)
    {
        if (Connections.Find(fd) == null) return Process.Libc->recvmsg(fd, message, flags);
        return Process.Result(Message(fd, message, flags, out _));
    }

    [Interpose("int recvmmsg(int fd, void* messages, unsigned count, int flags, void* timeout)")]
    public static int RecvMMsg(int fd, MultipleMessageHeader* messages, uint count, int flags, TimeSpec* timeout)
    {
        const int waitForOne = 0x10000;
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) return Process.Libc->recvmmsg(fd, messages, count, flags, timeout);
        if (Receiver.EnterKernel(fd, record)) return ByKernel(fd, record, messages, count, flags, timeout);
        TimeSpec given = default, left = default;
        if (timeout != null && !CallerMemory.TryRead(timeout, &given)) return (int)Process.Result(-Linux.EFAULT);
        if (timeout != null && !Sleep.IsValid(&given)) return (int)Process.Result(-Linux.EINVAL);
        ulong start = timeout == null ? 0 : Process.Now();
        // Unlike its kin it tells a pending error before any bytes.
        int pending = (flags & Linux.MSG_ERRQUEUE) == 0 ? PendingError(fd) : 0, done = 0;
        nint result = -pending;
        while (result >= 0 && (uint)done < count)
        {
            result = Message(fd, (MessageHeader*)(messages + done), flags & ~waitForOne, out int told);
            if (result >= 0 && !Messages.TryNoteLength(messages + done, result)) result = -Linux.EFAULT;
            if (result < 0) break;
            done++;
            if ((flags & waitForOne) != 0) flags |= Linux.MSG_DONTWAIT;
            // The kernel looks at the time only here, between two messages (recvmmsg(2), BUGS).
            if (timeout != null) left = Sleep.Remaining(given, start);
            if (timeout != null && left.Seconds == 0 && left.Nanoseconds == 0) break;
            if ((told & Linux.MSG_OOB) != 0) break;
        }
        if (done == 0) return (int)Process.Result(result);
        // What ended a call that has something to return is the next call's to tell.
        if (result is < 0 and not -Linux.EAGAIN and not -Linux.EINTR) record->PendingError = (int)-result;
        return timeout == null || CallerMemory.TryWrite(timeout, left) ? done : (int)Process.Result(-Linux.EFAULT);
    }

    /// <summary>All messages by the kernel, whose bytes are to be counted.</summary>
    private static int ByKernel(int fd, ConnectionRecord* record, MultipleMessageHeader* messages, uint count, int flags, TimeSpec* timeout)
    {
        int done = Process.Libc->recvmmsg(fd, messages, count, flags, timeout), errno = Process.Errno;
        nint bytes = 0;
        uint length;
        for (int i = 0; i < done && CallerMemory.TryRead((uint*)((byte*)(messages + i) + MultipleMessageHeader.LengthOffset), &length); i++) bytes += (nint)length;
        // What was taken before the kernel met memory that it could not write is not known.
        if (done < 0 && errno == Linux.EFAULT) Offering.KeepInKernel(record, Reason.BytesOutOfSight);
        if ((flags & (Linux.MSG_PEEK | Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) == 0) Interlocked.Add(ref record->KernelReceived, (ulong)bytes);
        Receiver.LeaveKernel(fd, record, bytes);
        Process.Errno = errno;
        return done;
    }

    private static int PendingError(int fd)
    {
        int error = 0;
        uint length = sizeof(int);
        return Connections.Find(fd) != null && SocketCalls.GetSockOpt(fd, Linux.SOL_SOCKET, Linux.SO_ERROR, &error, &length) == 0 ? error : 0;
    }

    [Interpose("ssize_t preadv2(int fd, const void* vectors, int count, long offset, int flags)", Aliases = "preadv64v2", Number = "preadv2 ff_preadv2_by_number")]
    public static nint PReadV2(int fd, IoVector* vectors, int count, long offset, int flags)
    {
        IoVector* copy = stackalloc IoVector[Vectors.OnStack];
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        nint total = Vectors.Import(ref message.Vectors, count, copy);
        // Without an offset it is readv(2) with flags; with one a socket cannot do it.
        if (offset != -1 || total <= 0 || !Vectors.AreKnown(flags)) return Process.Libc->preadv2(fd, vectors, count, offset, flags);
        return Finish(fd, &message, (flags & Linux.RWF_NOWAIT) != 0 ? Linux.MSG_DONTWAIT : 0);
    }

    private static nint One(int fd, byte* buffer, nuint count, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (!CallerMemory.IsInRange(buffer, count)) return Process.Result(-Linux.EFAULT);
        if (record != null && (flags & ~Linux.MSG_DONTWAIT) == 0)
        {
            nint received = Receiver.TrySome(record, buffer, count, flags);
            if (received != 0) return Process.Result(received);
        }
        IoVector vector = new() { Base = buffer, Length = count < Vectors.MostBytes ? count : Vectors.MostBytes };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
        return Finish(fd, &message, flags);
    }

    private static nint Finish(int fd, MessageHeader* message, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null ? Process.Libc->recvmsg(fd, message, flags) : Process.Result(Receiver.Receive(fd, record, message, flags));
    }

    /// <summary>recvmsg(2): the bytes or a negative errno; <paramref name="told"/> are the flags that came back.</summary>
    private static nint Message(int fd, MessageHeader* message, int flags, out int told)
    {
        MessageHeader header;
        IoVector* vectors = stackalloc IoVector[Vectors.OnStack];
        nint total = Messages.Import(message, &header, vectors, sends: false);
        told = 0;
        if (total < 0) return total;
        ConnectionRecord* record = Connections.Find(fd);
        nint received = record == null ? Process.FromLibc(Process.Libc->recvmsg(fd, &header, flags)) : Receiver.Receive(fd, record, &header, flags);
        told = header.Flags;
        return received < 0 || Messages.TryExport(&header, message) ? received : -Linux.EFAULT;
    }
}
