using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Names the peer of a queue pair that goes to RTR, or to whom a datagram queue pair sends: [type, sequence, number, access, own GID (2),
/// peer's GID (2), peer's number]. One
/// descriptor: a UDP socket bound to the own GID's address, which proves it. Answered by <see cref="VerbsJoin"/>, or by <see
/// cref="VerbsReply"/> with an errno.
/// </summary>
public struct VerbsConnect
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The queue pair.</summary>
    public uint Number;

    /// <summary>What the peer may do: IBV_ACCESS_REMOTE_*.</summary>
    public uint Access;

    /// <summary>Own GID, first half, most significant byte first on the wire.</summary>
    public ulong OwnHigh;

    /// <summary>Its second half.</summary>
    public ulong OwnLow;

    /// <summary>The peer's GID, first half.</summary>
    public ulong PeerHigh;

    /// <summary>Its second half.</summary>
    public ulong PeerLow;

    /// <summary>The peer's number.</summary>
    public uint PeerNumber;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(9);
        writer.WriteUInt64((ulong)MessageType.VerbsConnect);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(Access);
        writer.WriteUInt64(OwnHigh);
        writer.WriteUInt64(OwnLow);
        writer.WriteUInt64(PeerHigh);
        writer.WriteUInt64(PeerLow);
        writer.WriteUInt64(PeerNumber);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsConnect result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 9 || reader.ReadUInt64() != (ulong)MessageType.VerbsConnect) return false;
        result.Sequence = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        result.Access = reader.ReadUInt32();
        result.OwnHigh = reader.ReadUInt64();
        result.OwnLow = reader.ReadUInt64();
        result.PeerHigh = reader.ReadUInt64();
        result.PeerLow = reader.ReadUInt64();
        result.PeerNumber = reader.ReadUInt32();
        return reader.AtEnd
            && (result.Access & ~VerbsProtocol.RemoteAccess) == 0
            && result.Number <= VerbsProtocol.MaximumQueuePairNumber
            && result.PeerNumber <= VerbsProtocol.MaximumQueuePairNumber;
    }
}
