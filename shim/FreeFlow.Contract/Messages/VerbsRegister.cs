using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Shows a memory region that others may use: [type, sequence, domain, key, access, address, length, offset, first place, last place].
/// Descriptors: the memfd with its whole pages, and one with the pages at its edges, which has those of other regions, too; each only if there are any.
/// </summary>
public struct VerbsRegister
{
    /// <summary>Numbers the requests of a session.</summary>
    public uint Sequence;

    /// <summary>The protection domain, numbered by the process.</summary>
    public uint Domain;

    /// <summary>The remote key, which the process chooses.</summary>
    public uint Key;

    /// <summary>IBV_ACCESS_REMOTE_*.</summary>
    public uint Access;

    /// <summary>Where it begins, as remote addresses count.</summary>
    public ulong Address;

    /// <summary>In bytes.</summary>
    public ulong Length;

    /// <summary>How far into its first page it begins, in bytes (<see cref="Layout.RegionPages"/>).</summary>
    public uint Offset;

    /// <summary>Where the page at its beginning lies in the memfd of edges, in pages; 0 if that is no edge.</summary>
    public uint FirstPlace;

    /// <summary>The same of the page at its end.</summary>
    public uint LastPlace;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(10);
        writer.WriteUInt64((ulong)MessageType.VerbsRegister);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Domain);
        writer.WriteUInt64(Key);
        writer.WriteUInt64(Access);
        writer.WriteUInt64(Address);
        writer.WriteUInt64(Length);
        writer.WriteUInt64(Offset);
        writer.WriteUInt64(FirstPlace);
        writer.WriteUInt64(LastPlace);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsRegister result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 10 || reader.ReadUInt64() != (ulong)MessageType.VerbsRegister) return false;
        result.Sequence = reader.ReadUInt32();
        result.Domain = reader.ReadUInt32();
        result.Key = reader.ReadUInt32();
        result.Access = reader.ReadUInt32();
        result.Address = reader.ReadUInt64();
        result.Length = reader.ReadUInt64();
        result.Offset = reader.ReadUInt32();
        result.FirstPlace = reader.ReadUInt32();
        result.LastPlace = reader.ReadUInt32();
        return reader.AtEnd
            && (result.Access & ~VerbsProtocol.RemoteAccess) == 0
            && Layout.RegionPages.IsValid(result.Offset, result.Length)
            && result.FirstPlace <= VerbsProtocol.MaximumEdgePlace
            && result.LastPlace <= VerbsProtocol.MaximumEdgePlace;
    }
}
