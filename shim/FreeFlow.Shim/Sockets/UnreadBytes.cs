using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What is left in the ring when a standard I/O stream is opened on a connection, and its peer has ended its stream or does not answer: the stream, which reads the
/// kernel's socket from inside libc, gets it by ungetc(3), which glibc takes any number of.
/// </summary>
internal static unsafe class UnreadBytes
{
    public static void IntoStream(int fd, void* stream)
    {
        ConnectionRecord* record = Connections.Find(fd);
        long unread = record == null || record->RingAddress == 0 ? 0 : RingReader.Available(record, Block.Incoming(record));
        byte* bytes = unread > 0 ? (byte*)Process.Reserve((nuint)unread) : null;
        if (bytes == null) return;
        nuint have = 0;
        while (have < (nuint)unread)
        {
            IoVector vector = new() { Base = bytes + have, Length = (nuint)unread - have };
            MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
            nint read = Receiver.Receive(fd, record, &message, Linux.MSG_DONTWAIT);
            if (read <= 0) break;
            have += (nuint)read;
        }
        while (have > 0 && Process.Libc->ungetc(bytes[have - 1], stream) >= 0) have--;
        Process.Libc->munmap(bytes, (nuint)unread);
        // A peer that has not answered yet sends what comes after this by the kernel.
        Recall.Ask(record);
    }
}
