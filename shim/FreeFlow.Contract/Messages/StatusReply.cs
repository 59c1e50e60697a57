using System;

namespace FreeFlow.Contract.Messages;

/// <summary>Answers StatusRequest: [type, bytes]. One descriptor: a sealed memfd with that many bytes of JSON.</summary>
public struct StatusReply
{
    /// <summary>Length of the JSON text in bytes.</summary>
    public ulong Bytes;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(2);
        writer.WriteUInt64((ulong)MessageType.StatusReply);
        writer.WriteUInt64(Bytes);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out StatusReply result)
    {
        result = default;
        MessagePackReader reader = new(message);
        if (reader.ReadArrayHeader() != 2 || reader.ReadUInt64() != (ulong)MessageType.StatusReply) return false;
        result.Bytes = reader.ReadUInt64();
        return reader.AtEnd;
    }
}
