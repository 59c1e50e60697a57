using System;
using System.Buffers.Binary;

namespace FreeFlow.Contract;

/// <summary>
/// Writes the few MessagePack forms that the control messages use, always in their shortest encoding (MessagePack specification, "int format
/// family", "str", "bin", "array"). Never throws and never allocates: what does not fit sets <see cref="Failed"/>.
/// </summary>
public ref struct MessagePackWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>True once something did not fit; the buffer's content is then worthless.</summary>
    public bool Failed { get; private set; }

    /// <summary>Header of an array of at most 15 elements (fixarray).</summary>
    public void WriteArrayHeader(int count)
    {
        if (count is < 0 or > 15) { Failed = true; return; }
        WriteByte((byte)(0x90 | count));
    }

    public void WriteUInt64(ulong value)
    {
        if (value < 0x80) { WriteByte((byte)value); return; }
        int size = value <= byte.MaxValue ? 1 : value <= ushort.MaxValue ? 2 : value <= uint.MaxValue ? 4 : 8;
        if (!Reserve(1 + size)) return;
        _buffer[Length] = size switch { 1 => 0xcc, 2 => 0xcd, 4 => 0xce, _ => 0xcf };
        Span<byte> target = _buffer.Slice(Length + 1, size);
        switch (size)
        {
            case 1: target[0] = (byte)value; break;
            case 2: BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)value); break;
            case 4: BinaryPrimitives.WriteUInt32BigEndian(target, (uint)value); break;
            default: BinaryPrimitives.WriteUInt64BigEndian(target, value); break;
        }
        Length += 1 + size;
    }

    /// <summary>A string of at most 255 UTF-8 bytes (fixstr or str 8).</summary>
    public void WriteString(scoped ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > byte.MaxValue) { Failed = true; return; }
        int header = utf8.Length < 32 ? 1 : 2;
        if (!Reserve(header + utf8.Length)) return;
        if (header == 1) _buffer[Length] = (byte)(0xa0 | utf8.Length);
        else { _buffer[Length] = 0xd9; _buffer[Length + 1] = (byte)utf8.Length; }
        utf8.CopyTo(_buffer[(Length + header)..]);
        Length += header + utf8.Length;
    }

    /// <summary>At most 255 bytes (bin 8).</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > byte.MaxValue) { Failed = true; return; }
        if (!Reserve(2 + bytes.Length)) return;
        _buffer[Length] = 0xc4;
        _buffer[Length + 1] = (byte)bytes.Length;
        bytes.CopyTo(_buffer[(Length + 2)..]);
        Length += 2 + bytes.Length;
    }

    private void WriteByte(byte value)
    {
        if (!Reserve(1)) return;
        _buffer[Length++] = value;
    }

    private bool Reserve(int bytes)
    {
        if (Failed || _buffer.Length - Length < bytes) Failed = true;
        return !Failed;
    }
}
