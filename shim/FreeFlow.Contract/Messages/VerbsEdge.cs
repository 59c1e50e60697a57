using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Reads or changes bytes at the edge of a peer's region, which only the router may touch: [type, sequence, number, key, operation,
/// address, length, first, second, data]. The answer is <see cref="VerbsEdgeReply"/>.
/// </summary>
public ref struct VerbsEdge
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The asker's queue pair.</summary>
    public uint Number;

    /// <summary>The peer's remote key.</summary>
    public uint Key;

    /// <summary>0 read, 1 write, 2 compare and swap, 3 fetch and add.</summary>
    public uint Operation;

    /// <summary>Where; all of it within one page.</summary>
    public ulong Address;

    /// <summary>In bytes.</summary>
    public uint Length;

    /// <summary>What is compared or added.</summary>
    public ulong First;

    /// <summary>What is swapped in.</summary>
    public ulong Second;

    /// <summary>What is written.</summary>
    public ReadOnlySpan<byte> Data;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(10);
        writer.WriteUInt64((ulong)MessageType.VerbsEdge);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(Key);
        writer.WriteUInt64(Operation);
        writer.WriteUInt64(Address);
        writer.WriteUInt64(Length);
        writer.WriteUInt64(First);
        writer.WriteUInt64(Second);
        writer.WriteBytes(Data);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsEdge result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 10 || reader.ReadUInt64() != (ulong)MessageType.VerbsEdge) return false;
        result.Sequence = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        result.Key = reader.ReadUInt32();
        result.Operation = reader.ReadUInt32();
        result.Address = reader.ReadUInt64();
        result.Length = reader.ReadUInt32();
        result.First = reader.ReadUInt64();
        result.Second = reader.ReadUInt64();
        result.Data = reader.ReadBytes(VerbsProtocol.MaximumEdgeBytes);
        return reader.AtEnd
            && result.Operation <= 3
            && result.Length <= VerbsProtocol.MaximumEdgeBytes
            && result.Data.Length == (result.Operation == 1 ? (int)result.Length : 0);
    }
}
