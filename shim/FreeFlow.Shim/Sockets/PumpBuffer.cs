using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>A <see cref="Pump"/>'s way from the program to the connection: what has been read from the Unix socket and not yet sent.</summary>
internal unsafe struct PumpBuffer
{
    private const int Capacity = 65536;

    private byte* _bytes;
    private nint _start, _end;
    private bool _ended, _passedOn;

    public readonly bool HasBytes => _start < _end;
    public readonly bool WantsMore => !_ended && !HasBytes;
    public readonly bool IsDone => _ended && _passedOn;

    /// <summary>Reads what there is.</summary>
    public void Fill(int pipe)
    {
        if (_bytes == null) _bytes = (byte*)Process.Reserve(Capacity);
        if (_bytes == null) { _ended = true; return; }
        nint count = Process.FromLibc(Process.Libc->recv(pipe, _bytes, Capacity, Linux.MSG_DONTWAIT));
        _start = 0;
        _end = count > 0 ? count : 0;
        _ended = count == 0 || (count < 0 && count is not (-Linux.EAGAIN or -Linux.EINTR));
    }

    /// <summary>Sends what there is room for, and the end of the stream behind it if it is the <paramref name="last"/> thing to come; false if nobody reads any more.</summary>
    public bool Empty(int fd, ConnectionRecord* record, bool last)
    {
        while (HasBytes)
        {
            IoVector vector = new() { Base = _bytes + _start, Length = (nuint)(_end - _start) };
            MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
            nint count = Sender.Send(fd, record, &message, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL);
            if (count is -Linux.EAGAIN or -Linux.EINTR) return true;
            if (count < 0) return false;
            _start += count;
        }
        if (!_ended || _passedOn) return true;
        _passedOn = true;
        if (last) Exports.SocketCalls.Shutdown(fd, Linux.SHUT_WR);
        return true;
    }
}
