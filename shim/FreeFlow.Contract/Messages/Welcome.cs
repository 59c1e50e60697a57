using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Answers Hello: [type, version, session]. To a Hello without a table it carries one descriptor: the router's pid namespace, by which the process asks its kernel whether the router is above it.
/// </summary>
public struct Welcome
{
    /// <summary>The router's <see cref="Protocol.Version"/>.</summary>
    public uint ProtocolVersion;
    /// <summary>The router's number for this session.</summary>
    public ulong SessionId;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(3);
        writer.WriteUInt64((ulong)MessageType.Welcome);
        writer.WriteUInt64(ProtocolVersion);
        writer.WriteUInt64(SessionId);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out Welcome result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 3 || reader.ReadUInt64() != (ulong)MessageType.Welcome) return false;
        result.ProtocolVersion = reader.ReadUInt32();
        result.SessionId = reader.ReadUInt64();
        return reader.AtEnd;
    }
}
