using System;
using System.Buffers.Binary;

namespace FreeFlow.Contract;

/// <summary>
/// Reads what <see cref="MessagePackWriter"/> writes, from an untrusted peer: any other form, a longer encoding than needed, or missing bytes
/// set <see cref="Failed"/> and every later read returns zero or empty. Never throws and never allocates.
/// </summary>
public ref struct MessagePackReader(ReadOnlySpan<byte> buffer)
{
    private readonly ReadOnlySpan<byte> _buffer = buffer;
    private int _position;

    /// <summary>True once something could not be read.</summary>
    public bool Failed { get; private set; }

    /// <summary>True if everything was read, without a failure.</summary>
    public readonly bool AtEnd => !Failed && _position == _buffer.Length;

    public int ReadArrayHeader()
    {
        byte header = Take();
        if (Failed || (header & 0xf0) != 0x90) { Failed = true; return 0; }
        return header & 0x0f;
    }

    public ulong ReadUInt64()
    {
        byte header = Take();
        if (Failed) return 0;
        if (header < 0x80) return header;
        int size = header switch { 0xcc => 1, 0xcd => 2, 0xce => 4, 0xcf => 8, _ => 0 };
        ReadOnlySpan<byte> bytes = TakeMany(size);
        if (size == 0 || Failed) { Failed = true; return 0; }
        ulong value = size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            4 => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            _ => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        };
        ulong smallest = size switch { 1 => 0x80, 2 => 0x100, 4 => 0x1_0000, _ => 0x1_0000_0000 };
        if (value < smallest) { Failed = true; return 0; }
        return value;
    }

    public uint ReadUInt32()
    {
        ulong value = ReadUInt64();
        if (value > uint.MaxValue) { Failed = true; return 0; }
        return (uint)value;
    }

    /// <summary>The bytes of a string, as a slice of the message; not checked to be valid UTF-8.</summary>
    public ReadOnlySpan<byte> ReadString(int maximumBytes)
    {
        byte header = Take();
        if (Failed) return default;
        int length;
        if ((header & 0xe0) == 0xa0) length = header & 0x1f;
        else if (header == 0xd9) { length = Take(); if (length < 32) Failed = true; }
        else { Failed = true; return default; }
        if (Failed || length > maximumBytes) { Failed = true; return default; }
        return TakeMany(length);
    }

    /// <summary>Bytes, as a slice of the message.</summary>
    public ReadOnlySpan<byte> ReadBytes(int maximumBytes)
    {
        if (Take() != 0xc4) Failed = true;
        int length = Take();
        if (Failed || length > maximumBytes) { Failed = true; return default; }
        return TakeMany(length);
    }

    private byte Take()
    {
        ReadOnlySpan<byte> one = TakeMany(1);
        return Failed ? (byte)0 : one[0];
    }

    private ReadOnlySpan<byte> TakeMany(int count)
    {
        if (Failed || _buffer.Length - _position < count) { Failed = true; return default; }
        ReadOnlySpan<byte> taken = _buffer.Slice(_position, count);
        _position += count;
        return taken;
    }
}
