using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Asks for a connection, accepts or rejects one: [type, sequence, channel, identifier, action, user, number, key, parameters, private data].
/// </summary>
public ref struct VerbsCmConnect
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The event channel, by the number that the router gave it.</summary>
    public uint Channel;

    /// <summary>The connection identifier, by the number that the router gave it.</summary>
    public uint Identifier;

    /// <summary>0: connect; 1: accept; 2: reject.</summary>
    public uint Action;

    /// <summary>What events name the identifier by, once it has been accepted.</summary>
    public ulong User;

    /// <summary>The own queue pair, or why the connection is rejected.</summary>
    public uint Number;

    /// <summary>Of a datagram queue pair.</summary>
    public uint QueueKey;

    /// <summary><see cref="CmParameters"/>.</summary>
    public ulong Parameters;

    /// <summary>What the programs tell each other.</summary>
    public ReadOnlySpan<byte> PrivateData;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(10);
        writer.WriteUInt64((ulong)MessageType.VerbsCmConnect);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Channel);
        writer.WriteUInt64(Identifier);
        writer.WriteUInt64(Action);
        writer.WriteUInt64(User);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(QueueKey);
        writer.WriteUInt64(Parameters);
        writer.WriteBytes(PrivateData);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCmConnect result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 10 || reader.ReadUInt64() != (ulong)MessageType.VerbsCmConnect) return false;
        result.Sequence = reader.ReadUInt32();
        result.Channel = reader.ReadUInt32();
        result.Identifier = reader.ReadUInt32();
        result.Action = reader.ReadUInt32();
        result.User = reader.ReadUInt64();
        result.Number = reader.ReadUInt32();
        result.QueueKey = reader.ReadUInt32();
        result.Parameters = reader.ReadUInt64();
        result.PrivateData = reader.ReadBytes(VerbsProtocol.MaximumPrivateBytes);
        return reader.AtEnd
            && result.Action <= 2
            && result.Number <= VerbsProtocol.MaximumQueuePairNumber
            && result.Parameters <= CmParameters.Maximum;
    }
}
