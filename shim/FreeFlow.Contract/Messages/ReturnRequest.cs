using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Asks for a return from a ring that both ends share, in place of its writer, which may be busy elsewhere: [type, connection, generation, direction].
/// </summary>
public struct ReturnRequest
{
    /// <summary>Of <see cref="Direction"/>: what the asker reads. Its peer is to be stood in for.</summary>
    public const uint Incoming = 0;

    /// <summary>Of <see cref="Direction"/>: what the asker writes, and has begun to bring back itself.</summary>
    public const uint Outgoing = 1;

    /// <summary>Index of the record, as in the Offer.</summary>
    public uint Connection;
    /// <summary>Generation of the record, as in the Offer.</summary>
    public uint Generation;
    /// <summary><see cref="Incoming"/> or <see cref="Outgoing"/>.</summary>
    public uint Direction;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.ReturnRequest);
        writer.WriteUInt64(Connection);
        writer.WriteUInt64(Generation);
        writer.WriteUInt64(Direction);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ReturnRequest result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.ReturnRequest) return false;
        result.Connection = reader.ReadUInt32();
        result.Generation = reader.ReadUInt32();
        result.Direction = reader.ReadUInt32();
        return reader.AtEnd && result.Direction <= Outgoing;
    }
}
