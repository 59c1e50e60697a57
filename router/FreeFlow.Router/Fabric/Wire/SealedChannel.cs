using System;
using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>
/// A channel whose bytes nobody between the routers can read or change: records straight out of rings, and straight into them. Its secrets were exchanged by mutual TLS; TLS itself would copy
/// each byte four times more.
/// </summary>
internal sealed class SealedChannel(PlainChannel below, RecordKey sealing, RecordKey opening) : IByteChannel
{
    /// <summary>The largest frame: its head, a record of its own, and four full ones.</summary>
    private const int BufferBytes = FrameHeader.Bytes + RecordKey.Overhead + ((int)FrameHeader.MaximumDataBytes / RecordKey.MostPayload * (RecordKey.MostPayload + RecordKey.Overhead));

    private readonly byte[] _output = new byte[BufferBytes], _input = new byte[BufferBytes], _opened = new byte[RecordKey.MostPayload];
    private int _inputStart, _inputEnd, _openedStart, _openedEnd;
    private long _incompleteSince;

    /// <summary>How long a record may take to come. Its length is known before its tag says that it is true: nobody between may make this side wait for bytes that never come.</summary>
    public int MostMilliseconds { get; init; } = 10_000;

    public string? Problem { get; private set; }

    public X509Certificate2? Certificate { get; init; }

    public bool HasKept => below.HasKept;

    // A record of which only a part is here would have to be waited for.
    public bool HasInput => _openedStart < _openedEnd || HasRecord(out _) || (below.HasInput && (!Fill() || HasRecord(out _) || Problem is not null));

    public bool Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, bool mayWait)
    {
        int length = 0;
        return Gather(first, ref length, mayWait) && Gather(second, ref length, mayWait) && Gather(third, ref length, mayWait)
            && below.Send(_output.AsSpan(0, length), default, default, mayWait);
    }

    public int Receive(Span<byte> first, Span<byte> second, Span<byte> third)
    {
        Span<byte> target = !first.IsEmpty ? first : !second.IsEmpty ? second : third;
        int received = Take(target);
        // Several records together, as far as that waits for nothing: for each piece that it is given a reader may have to be woken.
        while (received < target.Length)
        {
            if (!HasRecord(out int payload))
            {
                if (received > 0 || Problem is not null || !Fill()) return received;
                continue;
            }
            ReadOnlySpan<byte> record = _input.AsSpan(_inputStart, payload + RecordKey.Overhead);
            bool fits = payload <= target.Length - received;
            if (!fits && received > 0) return received;
            if (!opening.TryOpen(record, fits ? target.Slice(received, payload) : _opened.AsSpan(0, payload))) { Problem = "a record came that it has not sealed, or not in this place"; return received; }
            _inputStart += record.Length;
            _incompleteSince = 0;
            if (fits) { received += payload; continue; }
            (_openedStart, _openedEnd) = (0, payload);
            return Take(target);
        }
        return received;
    }

    public void Abort() => below.Abort();

    public void Dispose()
    {
        below.Dispose();
        sealing.Dispose();
        opening.Dispose();
    }

    private bool Gather(ReadOnlySpan<byte> piece, ref int length, bool mayWait)
    {
        while (!piece.IsEmpty)
        {
            int payload = Math.Min(piece.Length, RecordKey.MostPayload);
            if (_output.Length - length < payload + RecordKey.Overhead)
            {
                if (!below.Send(_output.AsSpan(0, length), default, default, mayWait)) return false;
                length = 0;
            }
            length += sealing.Seal(piece[..payload], _output.AsSpan(length));
            piece = piece[payload..];
        }
        return true;
    }

    /// <summary>What was opened and did not fit where it belongs.</summary>
    private int Take(Span<byte> target)
    {
        int length = Math.Min(target.Length, _openedEnd - _openedStart);
        _opened.AsSpan(_openedStart, length).CopyTo(target);
        _openedStart += length;
        return length;
    }

    /// <summary>True if the next record is here as a whole. What is none becomes the channel's <see cref="Problem"/>.</summary>
    private bool HasRecord(out int payload)
    {
        payload = 0;
        int length = _inputEnd - _inputStart;
        if (Problem is not null || length < RecordKey.HeadBytes) return false;
        uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(_input.AsSpan(_inputStart));
        if (claimed is 0 or > RecordKey.MostPayload) { Problem = $"a record claims to have {claimed} bytes"; return false; }
        payload = (int)claimed;
        return length >= payload + RecordKey.Overhead;
    }

    private bool Fill()
    {
        _input.AsSpan(_inputStart, _inputEnd - _inputStart).CopyTo(_input);
        (_inputStart, _inputEnd) = (0, _inputEnd - _inputStart);
        int received = below.Receive(_input.AsSpan(_inputEnd), default, default);
        _inputEnd += received;
        if (received <= 0) return false;
        if (!HasRecord(out _))
        {
            long now = Environment.TickCount64;
            if (_incompleteSince == 0) _incompleteSince = now;
            if (now - _incompleteSince > MostMilliseconds) Problem ??= $"a record did not come to its end within {MostMilliseconds} ms";
        }
        return true;
    }
}
