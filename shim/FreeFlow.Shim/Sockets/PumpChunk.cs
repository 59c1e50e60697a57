using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A <see cref="Pump"/>'s way from the connection to the program. Lent: the first piece of the stream is only peeked at, put into the Unix socket, and taken off the
/// connection when the program has read it. So a program that is started with the connection and never reads it takes nothing away from the one that started it and
/// goes on. Everything later is taken at once: two that read at a time must not get the same.
/// </summary>
internal unsafe struct PumpChunk(bool lent)
{
    private const int Capacity = 65536;

    private byte* _bytes;
    private nint _start, _end;
    private bool _lent = lent;
    private ulong _position;

    /// <summary>The connection's stream has ended, and the program has been told.</summary>
    public bool IsDone { get; private set; }

    public readonly bool IsUnderWay => _end > 0;
    public readonly bool WantsMore => !IsDone && _end == 0;

    /// <summary>Puts the next piece into the pipe, or ends it; false if nobody reads there any more.</summary>
    public bool Fill(int fd, ConnectionRecord* record, int pipe)
    {
        if (_bytes == null) _bytes = (byte*)Process.Reserve(Capacity);
        _position = Position(record);
        nint count = _bytes == null ? 0 : Receive(fd, record, Capacity, _lent ? Linux.MSG_PEEK : 0);
        if (count is -Linux.EAGAIN or -Linux.EINTR) return true;
        if (count <= 0)
        {
            IsDone = true;
            Process.Libc->shutdown(pipe, Linux.SHUT_WR);
            return true;
        }
        _start = 0;
        _end = count;
        return Push(pipe);
    }

    /// <summary>Looks whether the program has taken all of the piece, and takes a lent one off the connection then.</summary>
    public void Settle(int fd, ConnectionRecord* record, int pipe, bool gone)
    {
        if (_end == 0) return;
        int left = Queued(pipe), error = 0;
        uint size = sizeof(int);
        // A socket that is closed empties its queue, and says so if there was something in it.
        if (gone) Process.Libc->getsockopt(pipe, Linux.SOL_SOCKET, Linux.SO_ERROR, &error, &size);
        else if (left != 0) return;
        if (!gone && _start < _end) { _ = Push(pipe); return; }
        if (_lent && error == 0) TakeOff(fd, record);
        _lent = false;
        _end = 0;
    }

    private bool Push(int pipe)
    {
        nint sent = Process.FromLibc(Process.Libc->send(pipe, _bytes + _start, (nuint)(_end - _start), Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL));
        if (sent > 0) _start += sent;
        return sent != -Linux.EPIPE;
    }

    private readonly void TakeOff(int fd, ConnectionRecord* record)
    {
        // Less what another holder of the connection has read meanwhile.
        nint left = _start - (nint)(Position(record) - _position);
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
