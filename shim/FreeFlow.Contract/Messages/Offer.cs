using System;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Contract.Messages;

/// <summary>Shows one end of a connection: [type, connection, generation, scarce, marks sent, place]. One descriptor: the connected socket.</summary>
public struct Offer
{
    /// <summary>Index of the record in the family table.</summary>
    public uint Connection;
    /// <summary>Generation of that record.</summary>
    public uint Generation;
    /// <summary>1: descriptors are running short, let the connection share the doorbell of another one with the same peer process.</summary>
    public uint Scarce;
    /// <summary>Return marks that this end has written into the kernel stream so far (docs/fabric.md): the other end learns whether one is still to come.</summary>
    public uint MarksSent;
    /// <summary>Data bytes of one direction of a ring that it has a place for already: it takes only one that a router mirrors or relays, of this size. 0: it has none.</summary>
    public uint Place;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(6);
        writer.WriteUInt64((ulong)MessageType.Offer);
        writer.WriteUInt64(Connection);
        writer.WriteUInt64(Generation);
        writer.WriteUInt64(Scarce);
        writer.WriteUInt64(MarksSent);
        writer.WriteUInt64(Place);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out Offer result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 6 || reader.ReadUInt64() != (ulong)MessageType.Offer) return false;
        result.Connection = reader.ReadUInt32();
        result.Generation = reader.ReadUInt32();
        result.Scarce = reader.ReadUInt32();
        result.MarksSent = reader.ReadUInt32();
        result.Place = reader.ReadUInt32();
        return reader.AtEnd && (result.Place == 0 || RingLayout.IsValidCapacity(result.Place));
    }
}
