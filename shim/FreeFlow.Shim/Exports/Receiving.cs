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
    public static nint Recv(int fd, byte* buffer, nuint count, int flags) => One(fd, buffer, count, flags);

    [Interpose("ssize_t recvfrom(int fd, void* buffer, size_t count, int flags, void* address, unsigned* length)", Checked = "__recvfrom_chk(fd, buffer, count, limit, flags, address, length) count")]
    public static nint RecvFrom(int fd, byte* buffer, nuint count, int flags, void* address, uint* length)
    {
        nint received = One(fd, buffer, count, flags);
        // A stream socket has no sender's address to tell (tcp(7)).
        if (received >= 0 && address != null && length != null) *length = 0;
        return received;
    }

    [Interpose("ssize_t readv(int fd, const void* vectors, int count)")]
    public static nint ReadV(int fd, IoVector* vectors, int count)
    {
        if (!Vectors.AreValid(vectors, count) || VectorCursor.Total(vectors, (nuint)count) == 0) return Process.Libc->readv(fd, vectors, count);
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        return Finish(fd, &message, 0);
    }

    [Interpose("ssize_t recvmsg(int fd, void* message, int flags)")]
    public static nint RecvMsg(int fd, MessageHeader* message, int flags)
    {
        if (!Process.CanRead(message, (nuint)sizeof(MessageHeader)) || message->VectorCount > Vectors.Maximum || !Vectors.AreValid(message->Vectors, (int)message->VectorCount)) return Process.Libc->recvmsg(fd, message, flags);
        return Finish(fd, message, flags);
    }

    [Interpose("int recvmmsg(int fd, void* messages, unsigned count, int flags, void* timeout)")]
    public static int RecvMMsg(int fd, MultipleMessageHeader* messages, uint count, int flags, TimeSpec* timeout)
    {
        const int waitForOne = 0x10000;
        if (!Process.CanRead(messages, (nuint)sizeof(MultipleMessageHeader)) || !Process.CanRead(timeout, timeout == null ? 0 : (nuint)sizeof(TimeSpec))) return Process.Libc->recvmmsg(fd, messages, count, flags, timeout);
        if (timeout != null && (timeout->Seconds < 0 || (ulong)timeout->Nanoseconds >= 1_000_000_000)) return Process.Libc->recvmmsg(fd, messages, count, flags, timeout);
        TimeSpec time = timeout == null ? default : *timeout;
        ulong start = timeout == null ? 0 : Process.Now();
        // Unlike its kin it tells a pending error before any bytes.
        int error = (flags & Linux.MSG_ERRQUEUE) == 0 ? PendingError(fd) : 0;
        if (error != 0) return (int)Process.Result(-error);
        uint done = 0;
        while (done < count)
        {
            nint received = RecvMsg(fd, &messages[done].Header, flags & ~waitForOne);
            if (received < 0) return done > 0 ? (int)done : -1;
            messages[done].Length = (uint)received;
            if ((messages[done++].Header.Flags & Linux.MSG_OOB) != 0) break;
            if ((flags & waitForOne) != 0) flags |= Linux.MSG_DONTWAIT;
            if (timeout == null) continue;
            // The kernel looks at the time only here, between two messages (recvmmsg(2), BUGS).
            TimeSpec left = Sleep.Remaining(time, start);
            *timeout = left;
            if (left.Seconds == 0 && left.Nanoseconds == 0) break;
        }
        return (int)done;
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
        // Without an offset it is readv(2) with flags; with one a socket cannot do it.
        if (offset != -1 || !Vectors.AreValidWithFlags(vectors, count, flags)) return Process.Libc->preadv2(fd, vectors, count, offset, flags);
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        return Finish(fd, &message, (flags & Linux.RWF_NOWAIT) != 0 ? Linux.MSG_DONTWAIT : 0);
    }

    private static nint One(int fd, byte* buffer, nuint count, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
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
}
