using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A <see cref="Pump"/>'s way from the connection to the program: a piece of the stream is peeked at, put into the Unix socket, and taken off the connection only when
/// the program has read it. So a program that was started with the connection and never reads it takes nothing away from the one that started it.
/// </summary>
internal unsafe struct PumpChunk
{
    private const int Capacity = 65536;

    private byte* _bytes;
    private nint _count;
    private int _queued;
    private bool _begun;
    private ulong _position;

    /// <summary>The connection's stream has ended, and the program has been told.</summary>
    public bool IsDone { get; private set; }

    public readonly bool IsUnderWay => _count > 0;
    public readonly bool WantsMore => !IsDone && _count == 0;

    /// <summary>Puts the next piece into the pipe, or ends it; false if nobody reads there any more.</summary>
    public bool Fill(int fd, ConnectionRecord* record, int pipe)
    {
        if (_bytes == null) _bytes = (byte*)Process.Reserve(Capacity);
        ulong position = Position(record);
        nint count = _bytes == null ? 0 : Receive(fd, record, Capacity, Linux.MSG_PEEK);
        if (count is -Linux.EAGAIN or -Linux.EINTR) return true;
        if (count <= 0)
        {
            IsDone = true;
            Process.Libc->shutdown(pipe, Linux.SHUT_WR);
            return true;
        }
        // The first byte by itself: when it is taken out of the queue, the program has begun to read.
        const int flags = Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL;
        nint first = Process.FromLibc(Process.Libc->send(pipe, _bytes, 1, flags));
        if (first < 0) return first != -Linux.EPIPE;
        nint others = count > 1 ? Process.FromLibc(Process.Libc->send(pipe, _bytes + 1, (nuint)(count - 1), flags)) : 0;
        _count = 1 + (others > 0 ? others : 0);
        _position = position;
        _queued = Queued(pipe);
        _begun = false;
        return true;
    }

    /// <summary>Looks how much of the piece the program has taken, and takes it off the connection when it has all of it, or has begun and let go.</summary>
    public void Settle(int fd, ConnectionRecord* record, int pipe, bool gone)
    {
        if (_count == 0) return;
        int left = Queued(pipe), error = 0;
        uint size = sizeof(int);
        // A socket that is closed empties its queue, and says so if there was something in it.
        if (gone) Process.Libc->getsockopt(pipe, Linux.SOL_SOCKET, Linux.SO_ERROR, &error, &size);
        else if (left < _queued) _begun = true;
        if (gone ? error == 0 || _begun : left == 0) TakeOff(fd, record);
        if (gone || left == 0) _count = 0;
    }

    private readonly void TakeOff(int fd, ConnectionRecord* record)
    {
        // Less what another holder of the connection has read meanwhile.
        nint left = _count - (nint)(Position(record) - _position);
        while (left > 0)
        {
            nint count = Receive(fd, record, left, 0);
            if (count <= 0) return;
            left -= count;
        }
    }

    private readonly nint Receive(int fd, ConnectionRecord* record, nint most, int flags)
    {
        IoVector vector = new() { Base = _bytes, Length = (nuint)most };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
        return Receiver.Receive(fd, record, &message, flags | Linux.MSG_DONTWAIT);
    }

    /// <summary>Of the stream that programs read. A return mark that comes meanwhile is none of it, nor what is dropped behind it; and a ring may have come in another one's place.</summary>
    private static ulong Position(ConnectionRecord* record) =>
        Volatile.Read(ref record->KernelReceived) - record->KernelDropped + Volatile.Read(ref record->ReceiveHead) + record->EarlierReceived;

    private static int Queued(int pipe)
    {
        int bytes = 0;
        Process.Libc->ioctl(pipe, Linux.TIOCOUTQ, &bytes);
        return bytes;
    }
}
