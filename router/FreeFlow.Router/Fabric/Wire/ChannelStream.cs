using System;
using System.Buffers.Binary;
using System.IO;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>
/// A channel as long as both sides greet each other, as the Stream that TLS wants to have. Never reads a byte more than that needs: those behind it are the link's. The stream's end is the channel's,
/// whatever the reason; disposing it leaves the channel as it is.
/// </summary>
/// <param name="channel">What is read and written.</param>
/// <param name="isTls">TLS reads it, which asks for more than a record: it gets one at a time.</param>
internal sealed class ChannelStream(PlainChannel channel, bool isTls) : Stream
{
    /// <summary>Type, version and, in the last two, the length of what follows (RFC 8446, section 5.1).</summary>
    private readonly byte[] _head = new byte[5];
    private int _headSeen, _left;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        if (!isTls) return channel.Receive(buffer, default, default);
        bool inHead = _left == 0;
        int received = channel.Receive(buffer[..Math.Min(buffer.Length, inHead ? _head.Length - _headSeen : _left)], default, default);
        if (!inHead) { _left -= received; return received; }
        buffer[..received].CopyTo(_head.AsSpan(_headSeen));
        _headSeen += received;
        if (_headSeen == _head.Length) (_headSeen, _left) = (0, BinaryPrimitives.ReadUInt16BigEndian(_head.AsSpan(3)));
        return received;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!channel.Send(buffer, default, default, mayWait: true)) throw new IOException("the connection is lost");
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
