using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// What the router knows of an identifier: [type, sequence, kind, own address (2), own port, peer's address (2), peer's port, number, parameters,
/// resolved].
/// </summary>
public struct VerbsCmState
{
    /// <summary>As in the request.</summary>
    public uint Sequence;

    /// <summary>IBV_QPT_RC, IBV_QPT_UC or IBV_QPT_UD.</summary>
    public uint Kind;

    /// <summary>Own address, first half, most significant byte first on the wire; IPv4 as ::ffff:a.b.c.d.</summary>
    public ulong OwnHigh;

    /// <summary>Its second half.</summary>
    public ulong OwnLow;

    /// <summary>The port.</summary>
    public uint OwnPort;

    /// <summary>The peer's address likewise.</summary>
    public ulong PeerHigh;

    /// <summary>Its second half.</summary>
    public ulong PeerLow;

    /// <summary>The port.</summary>
    public uint PeerPort;

    /// <summary>The peer's queue pair; 0 before it is known.</summary>
    public uint Number;

    /// <summary><see cref="CmParameters"/>, as both have agreed.</summary>
    public ulong Parameters;

    /// <summary>1: the way to the peer is resolved.</summary>
    public uint HasRoute;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(12);
        writer.WriteUInt64((ulong)MessageType.VerbsCmState);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Kind);
        writer.WriteUInt64(OwnHigh);
        writer.WriteUInt64(OwnLow);
        writer.WriteUInt64(OwnPort);
        writer.WriteUInt64(PeerHigh);
        writer.WriteUInt64(PeerLow);
        writer.WriteUInt64(PeerPort);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(Parameters);
        writer.WriteUInt64(HasRoute);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCmState result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 12 || reader.ReadUInt64() != (ulong)MessageType.VerbsCmState) return false;
        result.Sequence = reader.ReadUInt32();
        result.Kind = reader.ReadUInt32();
        result.OwnHigh = reader.ReadUInt64();
        result.OwnLow = reader.ReadUInt64();
        result.OwnPort = reader.ReadUInt32();
        result.PeerHigh = reader.ReadUInt64();
        result.PeerLow = reader.ReadUInt64();
        result.PeerPort = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        result.Parameters = reader.ReadUInt64();
        result.HasRoute = reader.ReadUInt32();
        return reader.AtEnd
            && result.Kind is >= VerbsProtocol.ReliableConnection and <= VerbsProtocol.UnreliableDatagram
            && result.OwnPort <= ushort.MaxValue
            && result.PeerPort <= ushort.MaxValue
            && result.Number <= VerbsProtocol.MaximumQueuePairNumber
            && result.Parameters <= CmParameters.Maximum
            && result.HasRoute <= 1;
    }
}
