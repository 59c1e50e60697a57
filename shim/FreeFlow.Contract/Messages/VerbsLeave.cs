using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// A queue pair goes to RESET or is destroyed: [type, sequence, number, destroyed].
/// </summary>
public struct VerbsLeave
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The queue pair.</summary>
    public uint Number;

    /// <summary>1: its number is free again.</summary>
    public uint IsDestroyed;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.VerbsLeave);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(IsDestroyed);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsLeave result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.VerbsLeave) return false;
        result.Sequence = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        result.IsDestroyed = reader.ReadUInt32();
        return reader.AtEnd && result.IsDestroyed <= 1;
    }
}
