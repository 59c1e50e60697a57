using System;
using FreeFlow.Contract;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>Opens a link, each way: [version, host, instance, secret].</summary>
internal ref struct FabricHello
{
    private const int Fields = 4;

    /// <summary>Must be <see cref="FrameHeader.Version"/>.</summary>
    public uint Version;

    /// <summary>The host's address on the network between the hosts, as the locations have it.</summary>
    public InternetAddress Host;

    /// <summary>Drawn at random by each router when it starts: a router that meets its own is talking to itself.</summary>
    public ulong Instance;

    /// <summary>What its sender seals with after Hello: <see cref="RecordKey.SecretBytes"/>, or nothing where Hello itself can be read by others.</summary>
    public ReadOnlySpan<byte> Secret;

    /// <summary>Encodes into <paramref name="buffer"/>; the length in bytes.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.WriteUInt64(Version);
        FabricMessages.Write(ref writer, Host);
        writer.WriteUInt64(Instance);
        writer.WriteString(Secret);
        return writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind. Of another version's only <see cref="Version"/> is read.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out FabricHello result)
    {
        result = default;
        StrictReader reader = new(message);
        int fields = reader.ReadArrayHeader();
        result.Version = reader.ReadUInt32();
        if (reader.Failed || result.Version != FrameHeader.Version) return !reader.Failed;
        if (fields != Fields) return false;
        if (!FabricMessages.TryRead(ref reader, out result.Host)) return false;
        result.Instance = reader.ReadUInt64();
        result.Secret = reader.ReadString(RecordKey.SecretBytes);
        return reader.AtEnd && (result.Secret.Length is 0 or RecordKey.SecretBytes);
    }
}
