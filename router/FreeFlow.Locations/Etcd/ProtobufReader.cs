using System;
using System.IO;

namespace FreeFlow.Locations.Etcd;

/// <summary>Reads the fields of one message of Protocol Buffers (protobuf.dev/programming-guides/encoding), whoever wrote it: bytes that are none throw <see cref="InvalidDataException"/>.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private const int Varint = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5;

    private ReadOnlySpan<byte> _left = message;

    /// <summary>The next field: its number, and its number or bytes, whichever it has. False at the message's end. Fixed-width fields are passed over.</summary>
    public bool Next(out int field, out ulong number, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        while (!_left.IsEmpty)
        {
            ulong tag = ReadVarint();
            if (tag is < 1 << 3 or > uint.MaxValue) throw new InvalidDataException($"a protobuf field of tag {tag}");
            (field, number) = ((int)(tag >> 3), 0);
            switch ((int)(tag & 7))
            {
                case Varint:
                    number = ReadVarint();
                    return true;
                case LengthDelimited:
                    bytes = Take(ReadVarint());
                    return true;
                case Fixed64:
                    Take(8);
                    break;
                case Fixed32:
                    Take(4);
                    break;
                default:
                    throw new InvalidDataException($"a protobuf field of wire type {tag & 7}");
            }
        }
        (field, number) = (0, 0);
        return false;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_left.Length) throw new InvalidDataException($"a protobuf field of {length} bytes where {_left.Length} are left");
        ReadOnlySpan<byte> taken = _left[..(int)length];
        _left = _left[(int)length..];
        return taken;
    }

    // Seven bits a byte, the least significant first; the highest bit says that more follow.
    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int at = 0; at < 10 && at < _left.Length; at++)
        {
            value |= (ulong)(_left[at] & 0x7f) << (7 * at);
            if (_left[at] > 0x7f) continue;
            _left = _left[(at + 1)..];
            return value;
        }
        throw new InvalidDataException("a protobuf number that does not end");
    }
}
