using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Gives an identifier its address, and that of its peer: [type, sequence, channel, identifier, action, own address (2), own port, peer's address (2),
/// peer's port, status]. One descriptor: a UDP socket of the process's network, bound to the own address if that is one.
/// </summary>
public struct VerbsCmAddress
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The event channel, by the number that the router gave it.</summary>
    public uint Channel;

    /// <summary>The connection identifier, by the number that the router gave it.</summary>
    public uint Identifier;

    /// <summary>0: the own address is bound; 1: the peer's is resolved; 2: the own address is one of those that a listener without an address has.</summary>
    public uint Action;

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

    /// <summary>Of what is resolved: 0, or the errno with which the process's network has no way there.</summary>
    public uint Status;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(12);
        writer.WriteUInt64((ulong)MessageType.VerbsCmAddress);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Channel);
        writer.WriteUInt64(Identifier);
        writer.WriteUInt64(Action);
        writer.WriteUInt64(OwnHigh);
        writer.WriteUInt64(OwnLow);
        writer.WriteUInt64(OwnPort);
        writer.WriteUInt64(PeerHigh);
        writer.WriteUInt64(PeerLow);
        writer.WriteUInt64(PeerPort);
        writer.WriteUInt64(Status);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCmAddress result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 12 || reader.ReadUInt64() != (ulong)MessageType.VerbsCmAddress) return false;
        result.Sequence = reader.ReadUInt32();
        result.Channel = reader.ReadUInt32();
        result.Identifier = reader.ReadUInt32();
        result.Action = reader.ReadUInt32();
        result.OwnHigh = reader.ReadUInt64();
        result.OwnLow = reader.ReadUInt64();
        result.OwnPort = reader.ReadUInt32();
        result.PeerHigh = reader.ReadUInt64();
        result.PeerLow = reader.ReadUInt64();
        result.PeerPort = reader.ReadUInt32();
        result.Status = reader.ReadUInt32();
        return reader.AtEnd
            && result.Action <= 2
            && result.OwnPort <= ushort.MaxValue
            && result.PeerPort <= ushort.MaxValue
            && result.Status <= VerbsProtocol.MaximumErrno;
    }
}
