using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;
using FreeFlow.Shim.Verbs;

namespace FreeFlow.Shim.Exports;

/// <summary>write(2), send(2) and their kin, each brought into the form of sendmsg(2).</summary>
internal static unsafe class SendingCalls
{
    [Interpose("ssize_t write(int fd, const void* buffer, size_t count)", Guard = "FF_FLAGS(fd) & (FF_CONNECTION | FF_MANAGER)", Aliases = "__write")]
    public static nint Write(int fd, byte* buffer, nuint count) => IsCommand(fd) ? CmDevice.Write(fd, buffer, count) : (nint)count >= 0 ? One(fd, buffer, count, 0) : Process.Libc->write(fd, buffer, count);

    [Interpose("ssize_t send(int fd, const void* buffer, size_t count, int flags)", Aliases = "__send")]
    public static nint Send(int fd, byte* buffer, nuint count, int flags) => One(fd, buffer, count < Vectors.MostBytes ? count : Vectors.MostBytes, flags);

    [Interpose("ssize_t sendto(int fd, const void* buffer, size_t count, int flags, const void* address, unsigned length)")]
    public static nint SendTo(int fd, byte* buffer, nuint count, int flags, void* address, uint length)
    {
        if (count > Vectors.MostBytes) count = Vectors.MostBytes;
        if (address == null) return One(fd, buffer, count, flags);
        // An address matters only to a stream that is not connected yet (TCP Fast Open): the kernel's.
        if (Connections.Find(fd) == null || (flags & Linux.MSG_FASTOPEN) != 0) return Process.Libc->sendto(fd, buffer, count, flags, address, length);
        if (!CallerMemory.IsInRange(buffer, count)) return Process.Result(-Linux.EFAULT);
        int refused = Messages.CheckAddress(address, length);
        return refused < 0 ? Process.Result(refused) : One(fd, buffer, count, flags);
    }

    [Interpose("ssize_t writev(int fd, const void* vectors, int count)")]
    public static nint WriteV(int fd, IoVector* vectors, int count)
    {
        IoVector* copy = stackalloc IoVector[Vectors.OnStack];
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        nint total = Vectors.Import(ref message.Vectors, count, copy);
        // Nothing at all is written whatever has become of the connection, unlike by write(2) and send(2).
        if (total == 0 || Connections.Find(fd) == null) return Process.Libc->writev(fd, vectors, count);
        return total < 0 ? Process.Result(total) : Finish(fd, &message, 0);
    }

    [Interpose("ssize_t sendmsg(int fd, const void* message, int flags)", Guard = "(FF_FLAGS(fd) & FF_CONNECTION) || *ff_tracked_connections")]
    public static nint SendMsg(int fd, MessageHeader* message, int flags) => Message(fd, message, flags, out _);

    [Interpose("int sendmmsg(int fd, void* messages, unsigned count, int flags)", Guard = "(FF_FLAGS(fd) & FF_CONNECTION) || *ff_tracked_connections")]
    public static int SendMMsg(int fd, MultipleMessageHeader* messages, uint count, int flags)
    {
        if (count > Vectors.Maximum) count = Vectors.Maximum;
        if (Connections.Find(fd) == null && !AnyControl(messages, count)) return Process.Libc->sendmmsg(fd, messages, count, flags);
        int done = 0;
        while (done < (int)count)
        {
            nint sent = Message(fd, (MessageHeader*)(messages + done), flags, out nint total);
            // The bytes are on their way; of a message whose length cannot be told the kernel tells nothing.
            if (sent >= 0 && !Messages.TryNoteLength(messages + done, sent)) sent = Process.Result(-Linux.EFAULT);
            if (sent < 0) return done > 0 ? done : -1;
            done++;
            // The kernel goes on only after a message that it took whole.
            if (sent < total) break;
        }
        return done;
    }

    [Interpose("ssize_t pwritev2(int fd, const void* vectors, int count, long offset, int flags)", Aliases = "pwritev64v2", Number = "pwritev2 ff_pwritev2_by_number")]
    public static nint PWriteV2(int fd, IoVector* vectors, int count, long offset, int flags)
    {
        IoVector* copy = stackalloc IoVector[Vectors.OnStack];
        MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        nint total = Vectors.Import(ref message.Vectors, count, copy);
        if (offset != -1 || total <= 0 || !Vectors.AreKnown(flags)) return Process.Libc->pwritev2(fd, vectors, count, offset, flags);
        return Finish(fd, &message, (flags & Linux.RWF_NOWAIT) != 0 ? Linux.MSG_DONTWAIT : 0);
    }

    private static bool IsCommand(int fd) => (Process.Flags[fd] & DescriptorFlags.ConnectionManager) != 0;

    private static nint One(int fd, byte* buffer, nuint count, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && (flags & ~(Linux.MSG_NOSIGNAL | Linux.MSG_DONTWAIT)) == 0 && Sender.TryWhole(record, buffer, count)) return (nint)count;
        if (!CallerMemory.IsInRange(buffer, count)) return Process.Result(-Linux.EFAULT);
        IoVector vector = new() { Base = buffer, Length = count < Vectors.MostBytes ? count : Vectors.MostBytes };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
        return Finish(fd, &message, flags);
    }

    private static nint Finish(int fd, MessageHeader* message, int flags)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null ? Process.Libc->sendmsg(fd, message, flags) : Process.Result(Sender.Send(fd, record, message, flags));
    }

    /// <summary>sendmsg(2); <paramref name="total"/> is what there was to send.</summary>
    private static nint Message(int fd, MessageHeader* message, int flags, out nint total)
    {
        MessageHeader header;
        IoVector* vectors = stackalloc IoVector[Vectors.OnStack];
        total = Messages.Import(message, &header, vectors, sends: true);
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) return total < 0 || header.ControlLength == 0 ? Process.Libc->sendmsg(fd, message, flags) : PassedDescriptors.Send(fd, &header, flags);
        if (total < 0) return Process.Result(total);
        if (header.ControlLength < Messages.ControlHeaderBytes && CallerMemory.CanRead(header.Control, header.ControlLength)) header.ControlLength = 0;
        if (header.ControlLength == 0) return Process.Result(Sender.Send(fd, record, &header, flags));
        // Control data that is no such thing moves no byte: the kernel has the right errno.
        if (!Messages.IsControl(header.Control, header.ControlLength)) return Process.Libc->sendmsg(fd, &header, flags);
        // Ancillary data to a TCP socket (time stamps, zero-copy) is for the kernel, which then sees the bytes too.
        return Process.Result(Sender.SendByKernel(fd, record, &header, flags));
    }

    /// <summary>True if one of the messages has ancillary data, which may be descriptors.</summary>
    private static bool AnyControl(MultipleMessageHeader* messages, uint count)
    {
        MessageHeader header;
        for (uint i = 0; i < count && CallerMemory.TryRead((MessageHeader*)(messages + i), &header); i++) if (header.ControlLength != 0) return true;
        return false;
    }
}
