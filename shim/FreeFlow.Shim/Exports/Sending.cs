using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>write(2), send(2) and their kin, each brought into the form of sendmsg(2).</summary>
internal static unsafe class SendingCalls
{
    [Interpose("ssize_t write(int fd, const void* buffer, size_t count)", Aliases = "__write")]
    public static nint Write(int fd, byte* buffer, nuint count) => (nint)count >= 0 ? One(fd, buffer, count, 0) : Process.Libc->write(fd, buffer, count);

    [Interpose("ssize_t send(int fd, const void* buffer, size_t count, int flags)", Aliases = "__send")]
    public static nint Send(int fd, byte* buffer, nuint count, int flags) => One(fd, buffer, count, flags);

    [Interpose("ssize_t sendto(int fd, const void* buffer, size_t count, int flags, const void* address, unsigned length)")]
    public static nint SendTo(int fd, byte* buffer, nuint count, int flags, void* address, uint length)
    {
        // An address matters only to a stream that is not connected yet (TCP Fast Open): the kernel's.
        if (address != null && (flags & Linux.MSG_FASTOPEN) != 0) return Process.Libc->sendto(fd, buffer, count, flags, address, length);
        return One(fd, buffer, count, flags);
    }

    [Interpose("ssize_t writev(int fd, const void* vectors, int count)")]
    public static nint WriteV(int fd, IoVector* vectors, int count)
    {
        // Nothing at all is written whatever has become of the connection, unlike by write(2) and send(2).
        if (!Vectors.AreValid(vectors, count) || VectorCursor.Total(vectors, (nuint)count) == 0) return Process.Libc->writev(fd, vectors, count);
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        return Finish(fd, &message, 0);
    }

    [Interpose("ssize_t sendmsg(int fd, const void* message, int flags)", Guard = "(FF_FLAGS(fd) & FF_CONNECTION) || *ff_tracked_connections")]
    public static nint SendMsg(int fd, MessageHeader* message, int flags)
    {
        if (!Process.CanRead(message, (nuint)sizeof(MessageHeader))) return Process.Libc->sendmsg(fd, message, flags);
        if (message->ControlLength != 0 && Connections.Find(fd) == null) return PassedDescriptors.Send(fd, message, flags);
        if (message->VectorCount > Vectors.Maximum || !Vectors.AreValid(message->Vectors, (int)message->VectorCount)) return Process.Libc->sendmsg(fd, message, flags);
        return message->ControlLength != 0 ? WithControl(fd, message, flags) : Finish(fd, message, flags);
    }

    [Interpose("int sendmmsg(int fd, void* messages, unsigned count, int flags)", Guard = "(FF_FLAGS(fd) & FF_CONNECTION) || *ff_tracked_connections")]
    public static int SendMMsg(int fd, MultipleMessageHeader* messages, uint count, int flags)
    {
        if (Connections.Find(fd) == null)
        {
            bool plain = true;
            for (uint i = 0; i < count && Process.CanRead(messages + i, (nuint)sizeof(MultipleMessageHeader)); i++) plain &= messages[i].Header.ControlLength == 0;
            if (plain) return Process.Libc->sendmmsg(fd, messages, count, flags);
        }
        if (count > Vectors.Maximum) count = Vectors.Maximum;
        uint done = 0;
        while (done < count)
        {
            nint sent = SendMsg(fd, &messages[done].Header, flags);
            if (sent < 0) return done > 0 ? (int)done : -1;
            messages[done].Length = (uint)sent;
            // The kernel goes on only after a message that it took whole.
            if ((nuint)sent < VectorCursor.Total(messages[done].Header.Vectors, messages[done++].Header.VectorCount)) break;
        }
        return (int)done;
    }

    [Interpose("ssize_t pwritev2(int fd, const void* vectors, int count, long offset, int flags)", Aliases = "pwritev64v2", Number = "pwritev2 ff_pwritev2_by_number")]
    public static nint PWriteV2(int fd, IoVector* vectors, int count, long offset, int flags)
    {
        if (offset != -1 || !Vectors.AreValidWithFlags(vectors, count, flags)) return Process.Libc->pwritev2(fd, vectors, count, offset, flags);
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        return Finish(fd, &message, (flags & Linux.RWF_NOWAIT) != 0 ? Linux.MSG_DONTWAIT : 0);
    }

    private static nint One(int fd, byte* buffer, nuint count, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && (flags & ~(Linux.MSG_NOSIGNAL | Linux.MSG_DONTWAIT)) == 0 && Sender.TryWhole(record, buffer, count)) return (nint)count;
        IoVector vector = new() { Base = buffer, Length = count < Vectors.MostBytes ? count : Vectors.MostBytes };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
        return Finish(fd, &message, flags);
    }

    private static nint Finish(int fd, MessageHeader* message, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null ? Process.Libc->sendmsg(fd, message, flags) : Process.Result(Sender.Send(fd, record, message, flags));
    }

    /// <summary>Ancillary data to a TCP socket (time stamps, zero-copy) is for the kernel, which then sees the bytes too.</summary>
    private static nint WithControl(int fd, MessageHeader* message, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null ? Process.Libc->sendmsg(fd, message, flags) : Process.Result(Sender.SendByKernel(fd, record, message, flags));
    }
}
