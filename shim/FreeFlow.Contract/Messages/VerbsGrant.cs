using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Lets a queue pair use its peer's region: [type, sequence, access, address, length, offset, has edges, first place, last place]. Descriptors as in <see
/// cref="VerbsRegister"/>; the edges only for one's own user.
/// </summary>
public struct VerbsGrant
{
    /// <summary>As in the request.</summary>
    public uint Sequence;

    /// <summary>What both region and queue pair allow.</summary>
    public uint Access;

    /// <summary>Where the region begins.</summary>
    public ulong Address;

    /// <summary>In bytes.</summary>
    public ulong Length;

    /// <summary>As in <see cref="VerbsRegister"/>.</summary>
    public uint Offset;

    /// <summary>1: the last descriptor has the edges.</summary>
    public uint HasEdges;

    /// <summary>As in <see cref="VerbsRegister"/>.</summary>
    public uint FirstPlace;

    /// <summary>Likewise.</summary>
    public uint LastPlace;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(9);
        writer.WriteUInt64((ulong)MessageType.VerbsGrant);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Access);
        writer.WriteUInt64(Address);
        writer.WriteUInt64(Length);
        writer.WriteUInt64(Offset);
        writer.WriteUInt64(HasEdges);
        writer.WriteUInt64(FirstPlace);
        writer.WriteUInt64(LastPlace);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsGrant result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 9 || reader.ReadUInt64() != (ulong)MessageType.VerbsGrant) return false;
        result.Sequence = reader.ReadUInt32();
        result.Access = reader.ReadUInt32();
        result.Address = reader.ReadUInt64();
        result.Length = reader.ReadUInt64();
        result.Offset = reader.ReadUInt32();
        result.HasEdges = reader.ReadUInt32();
        result.FirstPlace = reader.ReadUInt32();
        result.LastPlace = reader.ReadUInt32();
        return reader.AtEnd && (result.Access & ~VerbsProtocol.RemoteAccess) == 0 && Layout.RegionPages.IsValid(result.Offset, result.Length) && result.HasEdges <= 1;
    }
}
