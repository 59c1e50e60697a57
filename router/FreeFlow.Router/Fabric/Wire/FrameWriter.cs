using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>Puts frames on a channel: small ones are gathered until <see cref="Flush"/>, large payloads go out from where they lie. One thread at a time.</summary>
internal sealed class FrameWriter(IByteChannel channel)
{
    private const int GatherBelow = 4096;

    private readonly byte[] _gathered = new byte[64 * 1024];
    private int _length;
    private long _dataBytes;

    /// <summary>True once the channel has failed; frames are dropped from then on.</summary>
    public bool Failed { get; private set; }

    /// <summary>Bytes of Data frames written so far; any thread.</summary>
    public long DataBytes => Volatile.Read(ref _dataBytes);

    /// <summary>Frames written so far.</summary>
    public long Frames { get; private set; }

    /// <summary>Writes one frame whose payload lies in two pieces.</summary>
    public void Write(in FrameHeader header, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        int payload = first.Length + second.Length;
        Frames++;
        if (header.Type == FrameType.Data) Volatile.Write(ref _dataBytes, _dataBytes + payload);
        bool gather = payload < GatherBelow;
        if (_length + FrameHeader.Bytes + (gather ? payload : 0) > _gathered.Length) Flush();
        MemoryMarshal.Write(_gathered.AsSpan(_length), header);
        _length += FrameHeader.Bytes;
        if (!gather) { Push(first, second); return; }
        first.CopyTo(_gathered.AsSpan(_length));
        second.CopyTo(_gathered.AsSpan(_length + first.Length));
        _length += payload;
    }

    /// <summary>Sends what is gathered. Without <paramref name="mayWait"/> the channel may keep some of it, until the next flush that may.</summary>
    public void Flush(bool mayWait = true)
    {
        if (_length > 0 || (mayWait && channel.HasKept)) Push(default, default, mayWait);
    }

    /// <summary>True if the channel keeps something that must be flushed.</summary>
    public bool HasKept => channel.HasKept;

    private void Push(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, bool mayWait = true)
    {
        if (!Failed && !channel.Send(_gathered.AsSpan(0, _length), first, second, mayWait)) Failed = true;
        _length = 0;
    }
}
