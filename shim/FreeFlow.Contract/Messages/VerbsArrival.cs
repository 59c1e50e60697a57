using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Somebody has opened a path to a datagram queue pair: [type, own GID (2), sender's GID (2), sender's number]. The sender has proven its
/// GID; whether the own GID is the receiver's, the
/// receiver knows. Descriptors: the memfd of <see cref="Layout.QueuePairLayout"/>, of which the sender writes block 0, and the receiver's end of the doorbell.
/// </summary>
public struct VerbsArrival
{
    /// <summary>To whom the sender sends, first half, most significant byte first on the wire.</summary>
    public ulong OwnHigh;

    /// <summary>Its second half.</summary>
    public ulong OwnLow;

    /// <summary>The sender's GID, first half.</summary>
    public ulong PeerHigh;

    /// <summary>Its second half.</summary>
    public ulong PeerLow;

    /// <summary>The sender's number.</summary>
    public uint PeerNumber;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(6);
        writer.WriteUInt64((ulong)MessageType.VerbsArrival);
        writer.WriteUInt64(OwnHigh);
        writer.WriteUInt64(OwnLow);
        writer.WriteUInt64(PeerHigh);
        writer.WriteUInt64(PeerLow);
        writer.WriteUInt64(PeerNumber);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsArrival result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 6 || reader.ReadUInt64() != (ulong)MessageType.VerbsArrival) return false;
        result.OwnHigh = reader.ReadUInt64();
        result.OwnLow = reader.ReadUInt64();
        result.PeerHigh = reader.ReadUInt64();
        result.PeerLow = reader.ReadUInt64();
        result.PeerNumber = reader.ReadUInt32();
        return reader.AtEnd && result.PeerNumber <= VerbsProtocol.MaximumQueuePairNumber;
    }
}
