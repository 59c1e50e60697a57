using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Asks for a connection identifier (rdma_create_id(3)): [type, sequence, channel, user, space, kind]. Value of the answer: its number.
/// </summary>
public struct VerbsCmCreate
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The event channel, by the number that the router gave it.</summary>
    public uint Channel;

    /// <summary>What events name the identifier by; 0 is none.</summary>
    public ulong User;

    /// <summary>The port space, RDMA_PS_*.</summary>
    public uint Space;

    /// <summary>IBV_QPT_RC, IBV_QPT_UC or IBV_QPT_UD.</summary>
    public uint Kind;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(6);
        writer.WriteUInt64((ulong)MessageType.VerbsCmCreate);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Channel);
        writer.WriteUInt64(User);
        writer.WriteUInt64(Space);
        writer.WriteUInt64(Kind);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCmCreate result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 6 || reader.ReadUInt64() != (ulong)MessageType.VerbsCmCreate) return false;
        result.Sequence = reader.ReadUInt32();
        result.Channel = reader.ReadUInt32();
        result.User = reader.ReadUInt64();
        result.Space = reader.ReadUInt32();
        result.Kind = reader.ReadUInt32();
        return reader.AtEnd
            && result.Space is VerbsProtocol.PortSpaceIpoib or VerbsProtocol.PortSpaceTcp or VerbsProtocol.PortSpaceUdp or VerbsProtocol.PortSpaceIb
            && result.Kind is >= VerbsProtocol.ReliableConnection and <= VerbsProtocol.UnreliableDatagram;
    }
}
