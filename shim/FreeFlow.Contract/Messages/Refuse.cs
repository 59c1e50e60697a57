using System;

namespace FreeFlow.Contract.Messages;

/// <summary>Leaves a connection in the kernel: [type, connection, generation, reason].</summary>
public struct Refuse
{
    /// <summary>Index of the record, as in the Offer.</summary>
    public uint Connection;
    /// <summary>Generation of the record, as in the Offer.</summary>
    public uint Generation;
    /// <summary>A <see cref="Contract.Reason"/>.</summary>
    public uint Reason;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.Refuse);
        writer.WriteUInt64(Connection);
        writer.WriteUInt64(Generation);
        writer.WriteUInt64(Reason);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out Refuse result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.Refuse) return false;
        result.Connection = reader.ReadUInt32();
        result.Generation = reader.ReadUInt32();
        result.Reason = reader.ReadUInt32();
        return reader.AtEnd;
    }
}
