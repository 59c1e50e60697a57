using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Asks for a queue pair number: [type, sequence, domain, kind]. Value of the answer: the number, unique on this host, not to be guessed.
/// </summary>
public struct VerbsCreateQueuePair
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The protection domain, numbered by the process.</summary>
    public uint Domain;

    /// <summary>IBV_QPT_RC, IBV_QPT_UC or IBV_QPT_UD.</summary>
    public uint Kind;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.VerbsCreateQueuePair);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Domain);
        writer.WriteUInt64(Kind);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCreateQueuePair result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.VerbsCreateQueuePair) return false;
        result.Sequence = reader.ReadUInt32();
        result.Domain = reader.ReadUInt32();
        result.Kind = reader.ReadUInt32();
        return reader.AtEnd && result.Kind is >= VerbsProtocol.ReliableConnection and <= VerbsProtocol.UnreliableDatagram;
    }
}
