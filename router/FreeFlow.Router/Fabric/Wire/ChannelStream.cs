using System;
using System.IO;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>
/// A channel as TLS wants to see it, with buffers: TLS reads and writes a record of 16 KiB at a time, the kernel is asked for many. The stream's end is the channel's,
/// whatever the reason. One thread writes, one reads.
/// </summary>
internal sealed class ChannelStream(PlainChannel channel) : Stream
{
    private readonly byte[] _input = new byte[128 * 1024], _output = new byte[128 * 1024];
    private int _inputStart, _inputEnd, _outputLength;
    private bool _gathers, _mayWait = true;

    /// <summary>True if <see cref="Read(Span{byte})"/> would not wait.</summary>
    public bool HasInput => _inputStart < _inputEnd || channel.HasInput;

    /// <summary>Bytes that can be read without asking the kernel.</summary>
    public int Buffered => _inputEnd - _inputStart;

    /// <inheritdoc cref="IByteChannel.HasKept"/>
    public bool HasKept => channel.HasKept;

    /// <summary>What is written from here on waits for <see cref="End"/>, or for the buffer to be full.</summary>
    public void Begin(bool mayWait) => (_gathers, _mayWait) = (true, mayWait);

    /// <summary>Sends what has been written, and what the channel has kept; false if that is broken.</summary>
    public bool End()
    {
        bool sent = (_outputLength == 0 && !(_mayWait && HasKept)) || channel.Send(_output.AsSpan(0, _outputLength), default, default, _mayWait);
        (_gathers, _mayWait, _outputLength) = (false, true, 0);
        return sent;
    }

    public void Abort() => channel.Abort();

    public override int Read(Span<byte> buffer)
    {
        if (_inputStart == _inputEnd)
        {
            _inputStart = 0;
            _inputEnd = channel.Receive(_input, default, default);
        }
        int length = Math.Min(buffer.Length, _inputEnd - _inputStart);
        _input.AsSpan(_inputStart, length).CopyTo(buffer);
        _inputStart += length;
        return length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_gathers && buffer.Length <= _output.Length - _outputLength)
        {
            buffer.CopyTo(_output.AsSpan(_outputLength));
            _outputLength += buffer.Length;
            return;
        }
        int gathered = _outputLength;
        _outputLength = 0;
        if (!channel.Send(_output.AsSpan(0, gathered), buffer, default, _mayWait)) throw new IOException("the connection is lost");
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

    protected override void Dispose(bool disposing)
    {
        if (disposing) channel.Dispose();
        base.Dispose(disposing);
    }
}
