using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// A command of the connection manager that needs no more than a number: [type, sequence, channel, identifier, command, argument]. Answered by
/// <see cref="VerbsReply"/>; a query by <see cref="VerbsCmState"/>, and the next event by <see cref="VerbsCmEvent"/>, if it goes well.
/// </summary>
public struct VerbsCmCommand
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The event channel, by the number that the router gave it.</summary>
    public uint Channel;

    /// <summary>The connection identifier, by the number that the router gave it.</summary>
    public uint Identifier;

    /// <summary>What is to be done (<see cref="CmCommand"/>).</summary>
    public uint Command;

    /// <summary>As the command says.</summary>
    public ulong Argument;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(6);
        writer.WriteUInt64((ulong)MessageType.VerbsCmCommand);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Channel);
        writer.WriteUInt64(Identifier);
        writer.WriteUInt64(Command);
        writer.WriteUInt64(Argument);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCmCommand result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 6 || reader.ReadUInt64() != (ulong)MessageType.VerbsCmCommand) return false;
        result.Sequence = reader.ReadUInt32();
        result.Channel = reader.ReadUInt32();
        result.Identifier = reader.ReadUInt32();
        result.Command = reader.ReadUInt32();
        result.Argument = reader.ReadUInt64();
        return reader.AtEnd
            && result.Command is >= (uint)CmCommand.OpenChannel and <= (uint)CmCommand.AcknowledgeTimeout;
    }
}
