using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Withdraws a region: [type, sequence, key]. Value of the answer: 1 if somebody was granted it.
/// </summary>
public struct VerbsDeregister
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The remote key.</summary>
    public uint Key;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(3);
        writer.WriteUInt64((ulong)MessageType.VerbsDeregister);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Key);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsDeregister result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 3 || reader.ReadUInt64() != (ulong)MessageType.VerbsDeregister) return false;
        result.Sequence = reader.ReadUInt32();
        result.Key = reader.ReadUInt32();
        return reader.AtEnd;
    }
}
