using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// A datagram queue pair takes messages from now on: [type, sequence, number]. The answer is a <see cref="VerbsReply"/> with two descriptors: the memfd of
/// <see cref="Layout.InboxHeader"/>, and the socket by which <see cref="VerbsArrival"/> messages come.
/// </summary>
public struct VerbsListen
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The queue pair.</summary>
    public uint Number;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(3);
        writer.WriteUInt64((ulong)MessageType.VerbsListen);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Number);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsListen result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 3 || reader.ReadUInt64() != (ulong)MessageType.VerbsListen) return false;
        result.Sequence = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        return reader.AtEnd && result.Number <= VerbsProtocol.MaximumQueuePairNumber;
    }
}
