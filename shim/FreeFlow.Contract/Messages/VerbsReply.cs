using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Answers every verbs request that has no answer of its own: [type, sequence, status, value].
/// </summary>
public struct VerbsReply
{
    /// <summary>As in the request.</summary>
    public uint Sequence;

    /// <summary>0, or an errno.</summary>
    public uint Status;

    /// <summary>What the request says.</summary>
    public ulong Value;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.VerbsReply);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Status);
        writer.WriteUInt64(Value);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsReply result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.VerbsReply) return false;
        result.Sequence = reader.ReadUInt32();
        result.Status = reader.ReadUInt32();
        result.Value = reader.ReadUInt64();
        return reader.AtEnd;
    }
}
