using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// [type, sequence, status, before, data].
/// </summary>
public ref struct VerbsEdgeReply
{
    /// <summary>As in the request.</summary>
    public uint Sequence;

    /// <summary>0, or an errno.</summary>
    public uint Status;

    /// <summary>The value that an atomic operation has found.</summary>
    public ulong Before;

    /// <summary>What was read.</summary>
    public ReadOnlySpan<byte> Data;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(5);
        writer.WriteUInt64((ulong)MessageType.VerbsEdgeReply);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Status);
        writer.WriteUInt64(Before);
        writer.WriteBytes(Data);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsEdgeReply result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 5 || reader.ReadUInt64() != (ulong)MessageType.VerbsEdgeReply) return false;
        result.Sequence = reader.ReadUInt32();
        result.Status = reader.ReadUInt32();
        result.Before = reader.ReadUInt64();
        result.Data = reader.ReadBytes(VerbsProtocol.MaximumEdgeBytes);
        return reader.AtEnd;
    }
}
