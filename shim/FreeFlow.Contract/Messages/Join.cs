using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Joins this end with its peer: [type, connection, generation, side, capacity, mate, mate's generation, marks to find]. Descriptors: ring memfd and own end of the doorbell, which
/// is missing if the connection shares its mate's.
/// </summary>
public struct Join
{
    /// <summary>Index of the record, as in the Offer.</summary>
    public uint Connection;
    /// <summary>Generation of the record, as in the Offer.</summary>
    public uint Generation;
    /// <summary>0 or 1: the block this end writes.</summary>
    public uint Side;
    /// <summary>Data bytes of one direction; see <see cref="Layout.RingLayout"/>.</summary>
    public ulong Capacity;
    /// <summary>Index plus one of the record whose doorbell is this one's too; 0: it has its own.</summary>
    public uint Mate;
    /// <summary>Generation of that record.</summary>
    public uint MateGeneration;
    /// <summary>Return marks that the other end has written into the kernel stream before this ring, as it said in its Offer.</summary>
    public uint MarksToFind;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(8);
        writer.WriteUInt64((ulong)MessageType.Join);
        writer.WriteUInt64(Connection);
        writer.WriteUInt64(Generation);
        writer.WriteUInt64(Side);
        writer.WriteUInt64(Capacity);
        writer.WriteUInt64(Mate);
        writer.WriteUInt64(MateGeneration);
        writer.WriteUInt64(MarksToFind);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out Join result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 8 || reader.ReadUInt64() != (ulong)MessageType.Join) return false;
        result.Connection = reader.ReadUInt32();
        result.Generation = reader.ReadUInt32();
        result.Side = reader.ReadUInt32();
        result.Capacity = reader.ReadUInt64();
        result.Mate = reader.ReadUInt32();
        result.MateGeneration = reader.ReadUInt32();
        result.MarksToFind = reader.ReadUInt32();
        return reader.AtEnd;
    }
}
