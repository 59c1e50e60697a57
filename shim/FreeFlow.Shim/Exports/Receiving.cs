using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>read(2), recv(2) and their kin, each brought into the form of recvmsg(2).</summary>
internal static unsafe class ReceivingCalls
{
    [Interpose("ssize_t read(int fd, void* buffer, size_t count)", Aliases = "__read", Checked = "__read_chk(fd, buffer, count, limit) count")]
    public static nint Read(int fd, byte* buffer, nuint count) => One(fd, buffer, count, 0);

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
        if (!Vectors.AreValid(vectors, count)) return Process.Libc->readv(fd, vectors, count);
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
        uint done = 0;
        while (done < count)
        {
            nint received = RecvMsg(fd, &messages[done].Header, flags & ~waitForOne);
            if (received < 0) return done > 0 ? (int)done : -1;
            messages[done++].Length = (uint)received;
            if ((flags & waitForOne) != 0) flags |= Linux.MSG_DONTWAIT;
            if (received == 0) break;
        }
        return (int)done;
    }

    private static nint One(int fd, byte* buffer, nuint count, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && (flags & ~Linux.MSG_DONTWAIT) == 0)
        {
            nint received = Receiver.TrySome(record, buffer, count, flags);
            if (received != 0) return Process.Result(received);
        }
        IoVector vector = new() { Base = buffer, Length = count };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
        return Finish(fd, &message, flags);
    }

    private static nint Finish(int fd, MessageHeader* message, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null ? Process.Libc->recvmsg(fd, message, flags) : Process.Result(Receiver.Receive(fd, record, message, flags));
    }
}
