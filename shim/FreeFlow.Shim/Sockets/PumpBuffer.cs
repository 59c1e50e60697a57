using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>One direction of a <see cref="Pump"/>: what has been read on one side and not yet written on the other.</summary>
internal unsafe struct PumpBuffer
{
    private const int Capacity = 65536;

    private byte* _bytes;
    private nint _start, _end;
    private bool _passedOn;

    /// <summary>The side that is read has ended its stream.</summary>
    public bool IsEnded { get; private set; }

    public readonly bool HasBytes => _start < _end;
    public readonly bool WantsMore => !IsEnded && !HasBytes;
    public readonly bool IsDone => IsEnded && _passedOn;

    /// <summary>Reads what there is. <paramref name="record"/> is null for the Unix socket.</summary>
    public void Fill(int fd, ConnectionRecord* record)
    {
        if (_bytes == null) _bytes = (byte*)Process.Reserve(Capacity);
        if (_bytes == null) { IsEnded = true; return; }
        IoVector vector = new() { Base = _bytes, Length = Capacity };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
        nint count = record != null
            ? Receiver.Receive(fd, record, &message, Linux.MSG_DONTWAIT)
            : Process.FromLibc(Process.Libc->recv(fd, _bytes, Capacity, Linux.MSG_DONTWAIT));
        _start = 0;
        _end = count > 0 ? count : 0;
        IsEnded = count == 0 || (count < 0 && count is not (-Linux.EAGAIN or -Linux.EINTR));
    }

    /// <summary>Writes what there is room for, and the end of the stream behind it if it is the <paramref name="last"/> thing to come; false if nobody reads any more.</summary>
    public bool Empty(int fd, ConnectionRecord* record, bool last)
    {
        while (HasBytes)
        {
            IoVector vector = new() { Base = _bytes + _start, Length = (nuint)(_end - _start) };
            MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
            const int flags = Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL;
            nint count = record != null ? Sender.Send(fd, record, &message, flags) : Process.FromLibc(Process.Libc->send(fd, vector.Base, vector.Length, flags));
            if (count is -Linux.EAGAIN or -Linux.EINTR) return true;
            if (count < 0) return false;
            _start += count;
        }
        if (!IsEnded || _passedOn) return true;
        _passedOn = true;
        if (!last) return true;
        if (record != null) Exports.SocketCalls.Shutdown(fd, Linux.SHUT_WR);
        else Process.Libc->shutdown(fd, Linux.SHUT_WR);
        return true;
    }
}
