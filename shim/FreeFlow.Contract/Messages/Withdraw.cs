using System;

namespace FreeFlow.Contract.Messages;

/// <summary>Says that an offered or joined connection is closed: [type, connection, generation].</summary>
public struct Withdraw
{
    /// <summary>Index of the record, as in the Offer.</summary>
    public uint Connection;
    /// <summary>Generation of the record, as in the Offer.</summary>
    public uint Generation;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(3);
        writer.WriteUInt64((ulong)MessageType.Withdraw);
        writer.WriteUInt64(Connection);
        writer.WriteUInt64(Generation);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out Withdraw result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 3 || reader.ReadUInt64() != (ulong)MessageType.Withdraw) return false;
        result.Connection = reader.ReadUInt32();
        result.Generation = reader.ReadUInt32();
        return reader.AtEnd;
    }
}
