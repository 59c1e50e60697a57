using System;
using MessagePack;

namespace FreeFlow.Contract;

/// <summary>
/// Reads what <see cref="StrictWriter"/> writes, from an untrusted peer, by <see cref="MessagePackPrimitives"/>. That package reads every
/// form of a value; here a value is refused unless its bytes are those that it is written with. What is refused or missing sets
/// <see cref="Failed"/>, and every later read returns zero or empty. Never throws and never allocates.
/// </summary>
public ref struct StrictReader(ReadOnlySpan<byte> buffer)
{
    // The longest token: uint 64.
    private const int MaximumTokenBytes = 9;

    private readonly ReadOnlySpan<byte> _buffer = buffer;
    private int _position;

    /// <summary>True once something could not be read.</summary>
    public bool Failed { get; private set; }

    /// <summary>True if everything was read, without a failure.</summary>
    public readonly bool AtEnd => !Failed && _position == _buffer.Length;

    private readonly ReadOnlySpan<byte> Rest => _buffer[_position..];

    /// <summary>The number of an array's elements: a fixarray's, at most 15.</summary>
    public int ReadArrayHeader()
    {
        bool read = MessagePackPrimitives.TryReadArrayHeader(Rest, out uint count, out int size) == MessagePackPrimitives.DecodeResult.Success;
        StrictWriter writer = new(stackalloc byte[MaximumTokenBytes]);
        if (read && count <= StrictWriter.MaximumElements) writer.WriteArrayHeader((int)count);
        return Take(read, size, writer) ? (int)count : 0;
    }

    /// <summary>An unsigned integer in its shortest form.</summary>
    /// <remarks>
    /// Not by MessagePackPrimitives.TryReadUInt64: it calls through a table of objects that a static constructor makes, and the shim runs
    /// this on threads that the runtime does not know.
    /// </remarks>
    public ulong ReadUInt64()
    {
        ReadOnlySpan<byte> rest = Rest;
        if (Failed || rest.IsEmpty) { Failed = true; return 0; }
        byte code = rest[0];
        if (code <= MessagePackCode.MaxFixInt) { _position++; return code; }
        int bytes = code switch
        {
            MessagePackCode.UInt8 => 1,
            MessagePackCode.UInt16 => 2,
            MessagePackCode.UInt32 => 4,
            MessagePackCode.UInt64 => 8,
            _ => int.MaxValue,
        };
        if (rest.Length <= bytes) { Failed = true; return 0; }
        ulong value = 0;
        for (int i = 1; i <= bytes; i++) value = (value << 8) | rest[i];
        // The smallest value that needs so many bytes: one that half of them would hold has a shorter form.
        ulong least = bytes == 1 ? MessagePackCode.MaxFixInt + 1UL : 1UL << (4 * bytes);
        if (value < least) { Failed = true; return 0; }
        _position += 1 + bytes;
        return value;
    }

    /// <summary>An unsigned integer of at most 32 bits in its shortest form.</summary>
    public uint ReadUInt32()
    {
        ulong value = ReadUInt64();
        if (value > uint.MaxValue) { Failed = true; return 0; }
        return (uint)value;
    }

    /// <summary>The bytes of a string, as a slice of the message; not checked to be valid UTF-8.</summary>
    public ReadOnlySpan<byte> ReadString(int maximumBytes)
    {
        bool read = MessagePackPrimitives.TryReadStringHeader(Rest, out uint length, out int size) == MessagePackPrimitives.DecodeResult.Success;
        StrictWriter writer = new(stackalloc byte[MaximumTokenBytes]);
        if (read) writer.WriteStringHeader(length);
        return Take(read, size, writer) ? TakeMany(length, maximumBytes) : default;
    }

    /// <summary>At most 255 bytes (bin 8), as a slice of the message.</summary>
    /// <remarks>Not by MessagePackPrimitives.TryReadBinHeader, which may throw.</remarks>
    public ReadOnlySpan<byte> ReadBytes(int maximumBytes)
    {
        const int size = 2;
        ReadOnlySpan<byte> rest = Rest;
        bool read = rest.Length >= size && rest[0] == MessagePackCode.Bin8;
        uint length = read ? rest[1] : 0u;
        StrictWriter writer = new(stackalloc byte[MaximumTokenBytes]);
        if (read) writer.WriteBytesHeader(length);
        return Take(read, size, writer) ? TakeMany(length, maximumBytes) : default;
    }

    private ReadOnlySpan<byte> TakeMany(uint length, int maximumBytes)
    {
        if (length > maximumBytes || length > Rest.Length) { Failed = true; return default; }
        ReadOnlySpan<byte> taken = Rest[..(int)length];
        _position += (int)length;
        return taken;
    }

    // Takes a token of size bytes if its bytes are the written ones.
    private bool Take(bool read, int size, scoped StrictWriter written)
    {
        if (Failed || !read || written.Failed || written.Length != size || !written.Written.SequenceEqual(Rest[..size])) { Failed = true; return false; }
        _position += size;
        return true;
    }
}
