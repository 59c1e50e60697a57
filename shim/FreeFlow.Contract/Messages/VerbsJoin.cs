using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Gives a queue pair its shared memory: [type, sequence, side, loop]. Descriptors: the memfd of <see cref="Layout.QueuePairLayout"/>,
/// the own end of the doorbell.
/// </summary>
public struct VerbsJoin
{
    /// <summary>As in the request.</summary>
    public uint Sequence;

    /// <summary>0 or 1: the block this side writes.</summary>
    public uint Side;

    /// <summary>1: the queue pair is its own peer and reads the block it writes.</summary>
    public uint IsLoop;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteUInt64((ulong)MessageType.VerbsJoin);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Side);
        writer.WriteUInt64(IsLoop);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsJoin result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 4 || reader.ReadUInt64() != (ulong)MessageType.VerbsJoin) return false;
        result.Sequence = reader.ReadUInt32();
        result.Side = reader.ReadUInt32();
        result.IsLoop = reader.ReadUInt32();
        return reader.AtEnd && result.Side <= 1 && result.IsLoop <= 1;
    }
}
