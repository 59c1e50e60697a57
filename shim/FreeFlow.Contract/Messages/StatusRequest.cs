using System;

namespace FreeFlow.Contract.Messages;

/// <summary>Asks for the status: [type, version], behind a Hello. No descriptor: whose view it is follows from the session's own socket. One that is sent is closed unseen.</summary>
public struct StatusRequest
{
    /// <summary>Version of question and answer; apart from <see cref="Protocol.Version"/>, which programs that run have in common with their router.</summary>
    public const uint CurrentVersion = 7;

    /// <summary>Must be <see cref="CurrentVersion"/>.</summary>
    public uint Version;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(2);
        writer.WriteUInt64((ulong)MessageType.StatusRequest);
        writer.WriteUInt64(Version);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out StatusRequest result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 2 || reader.ReadUInt64() != (ulong)MessageType.StatusRequest) return false;
        result.Version = reader.ReadUInt32();
        return reader.AtEnd;
    }
}
