using System;

namespace FreeFlow.Contract.Messages;

/// <summary>Answers StatusRequest: [type]. One descriptor: a stream socket, from which JSON in UTF-8 is read to its end; text that is not whole was given up.</summary>
public struct StatusReply
{
    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(1);
        writer.WriteUInt64((ulong)MessageType.StatusReply);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out StatusReply result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 1 || reader.ReadUInt64() != (ulong)MessageType.StatusReply) return false;
        return reader.AtEnd;
    }
}
