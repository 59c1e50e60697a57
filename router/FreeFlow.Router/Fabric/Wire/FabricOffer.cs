using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>An end of a connection waits at the sender's host: [number, local address, local port, remote address, remote port, marks sent, place, sent from, received from].</summary>
internal struct FabricOffer
{
    private const int Fields = 9;

    /// <summary>The sender's number for it, and for the stream that may come of it; never 0.</summary>
    public uint Number;

    /// <summary>As the waiting end sees them.</summary>
    public FourTuple Addresses;

    /// <summary>Return marks that the waiting end has written into the kernel stream so far.</summary>
    public uint MarksSent;

    /// <summary>Data bytes of one direction of the ring that the waiting end has a place for already (docs/fabric.md, Another ring); 0: none.</summary>
    public ulong Place;

    /// <summary>Where the waiting end's directions began: what shows that it is the other end of one at the receiver's host.</summary>
    public InitialSequence Sequence;

    /// <summary>Encodes into <paramref name="buffer"/>; the length in bytes.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.WriteUInt64(Number);
        FabricMessages.Write(ref writer, Addresses.Local);
        FabricMessages.Write(ref writer, Addresses.Remote);
        writer.WriteUInt64(MarksSent);
        writer.WriteUInt64(Place);
        writer.WriteUInt64(Sequence.Sent);
        writer.WriteUInt64(Sequence.Received);
        return writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out FabricOffer result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != Fields) return false;
        result.Number = reader.ReadUInt32();
        if (!FabricMessages.TryRead(ref reader, out InternetEndpoint local) || !FabricMessages.TryRead(ref reader, out InternetEndpoint remote)) return false;
        result.Addresses = new FourTuple(local, remote);
        result.MarksSent = reader.ReadUInt32();
        result.Place = reader.ReadUInt64();
        result.Sequence = new InitialSequence(reader.ReadUInt32(), reader.ReadUInt32());
        return reader.AtEnd && result.Number != 0 && (result.Place == 0 || RingLayout.IsValidCapacity(result.Place));
    }
}
