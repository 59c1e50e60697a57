using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>The sender has an end that fits an offer, and has made its ring: [offer, stream, capacity, mark towards the receiver, mark towards the sender, marks sent, sent from, received from].</summary>
internal ref struct FabricAccept
{
    private const int Fields = 8;

    /// <summary>The receiver's number of the offer.</summary>
    public uint Offer;

    /// <summary>The sender's number of the stream; never 0.</summary>
    public uint Stream;

    /// <summary>Data bytes of each direction of both rings.</summary>
    public ulong Capacity;

    /// <summary>Return mark (docs/fabric.md) of the direction from the accepting end to the offering one, 16 bytes.</summary>
    public ReadOnlySpan<byte> MarkToOffering;

    /// <summary>And of the other direction.</summary>
    public ReadOnlySpan<byte> MarkToAccepting;

    /// <summary>Return marks that the accepting end has written into the kernel stream so far.</summary>
    public uint MarksSent;

    /// <summary>Where the accepting end's directions began.</summary>
    public InitialSequence Sequence;

    /// <summary>Encodes into <paramref name="buffer"/>; the length in bytes.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.WriteUInt64(Offer);
        writer.WriteUInt64(Stream);
        writer.WriteUInt64(Capacity);
        writer.WriteString(MarkToOffering);
        writer.WriteString(MarkToAccepting);
        writer.WriteUInt64(MarksSent);
        writer.WriteUInt64(Sequence.Sent);
        writer.WriteUInt64(Sequence.Received);
        return writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out FabricAccept result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != Fields) return false;
        result.Offer = reader.ReadUInt32();
        result.Stream = reader.ReadUInt32();
        result.Capacity = reader.ReadUInt64();
        result.MarkToOffering = reader.ReadString(RingLayout.ReturnMarkBytes);
        result.MarkToAccepting = reader.ReadString(RingLayout.ReturnMarkBytes);
        result.MarksSent = reader.ReadUInt32();
        result.Sequence = new InitialSequence(reader.ReadUInt32(), reader.ReadUInt32());
        return reader.AtEnd && result.Stream != 0 && RingLayout.IsValidCapacity(result.Capacity)
            && result.MarkToOffering.Length == RingLayout.ReturnMarkBytes && result.MarkToAccepting.Length == RingLayout.ReturnMarkBytes;
    }
}
