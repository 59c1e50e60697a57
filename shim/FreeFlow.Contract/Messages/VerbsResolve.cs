using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Asks for the memory behind a remote key that is used on a connected queue pair: [type, sequence, number, key]. Answered by <see
/// cref="VerbsGrant"/>, or by <see cref="VerbsReply"/> with an errno.
/// </summary>
public struct VerbsResolve
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The asker's queue pair.</summary>
    public uint Number;

    /// <summary>The peer's remote key.</summary>
    public uint Key;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.VerbsResolve);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(Key);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsResolve result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.VerbsResolve) return false;
        result.Sequence = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        result.Key = reader.ReadUInt32();
        return reader.AtEnd;
    }
}
