using System;
using System.Runtime.InteropServices;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>Takes frames off a channel. Payload goes straight to where it belongs, and what comes behind it into a small buffer. One thread.</summary>
internal sealed class FrameReader(IByteChannel channel)
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start, _end;

    /// <summary>True if the next frame is the channel's to bring.</summary>
    public bool IsEmpty => _start == _end;

    /// <summary>Waits for the next head; false if the channel has ended.</summary>
    public bool TryReadHeader(out FrameHeader header)
    {
        header = default;
        while (_end - _start < FrameHeader.Bytes)
        {
            Compact();
            int received = channel.Receive(_buffer.AsSpan(_end), default, default);
            if (received == 0) return false;
            _end += received;
        }
        header = MemoryMarshal.Read<FrameHeader>(_buffer.AsSpan(_start));
        _start += FrameHeader.Bytes;
        return true;
    }

    /// <summary>Waits for some of a payload that goes into these pieces, the first one first; how many bytes, 0 if the channel has ended.</summary>
    public int ReadSome(Span<byte> first, Span<byte> second)
    {
        if (_start == _end)
        {
            _start = _end = 0;
            int received = channel.Receive(first, second, _buffer);
            int beyond = Math.Max(0, received - first.Length - second.Length);
            _end = beyond;
            return received - beyond;
        }
        Span<byte> target = first.IsEmpty ? second : first;
        int length = Math.Min(target.Length, _end - _start);
        _buffer.AsSpan(_start, length).CopyTo(target);
        _start += length;
        return length;
    }

    /// <summary>Waits for a whole payload of a message.</summary>
    public bool TryRead(Span<byte> payload)
    {
        while (!payload.IsEmpty)
        {
            int received = ReadSome(payload, default);
            if (received == 0) return false;
            payload = payload[received..];
        }
        return true;
    }

    private void Compact()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
    }
}
