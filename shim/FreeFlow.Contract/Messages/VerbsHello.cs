using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Opens a verbs session: [type, version, process, program, container]. The answer is a <see cref="VerbsReply"/> with the router's pid
/// namespace (one descriptor).
/// </summary>
public ref struct VerbsHello
{
    /// <summary>Must be <see cref="VerbsProtocol.Version"/>.</summary>
    public uint ProtocolVersion;

    /// <summary>The process, by its own pid namespace; for status only.</summary>
    public uint ProcessId;

    /// <summary>File name of the program, UTF-8, at most 64 bytes.</summary>
    public ReadOnlySpan<byte> ProgramName;

    /// <summary>FREEFLOW_NAME, UTF-8, at most 64 bytes, may be empty.</summary>
    public ReadOnlySpan<byte> ContainerName;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(5);
        writer.WriteUInt64((ulong)MessageType.VerbsHello);
        writer.WriteUInt64(ProtocolVersion);
        writer.WriteUInt64(ProcessId);
        writer.WriteString(ProgramName);
        writer.WriteString(ContainerName);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsHello result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 5 || reader.ReadUInt64() != (ulong)MessageType.VerbsHello) return false;
        result.ProtocolVersion = reader.ReadUInt32();
        result.ProcessId = reader.ReadUInt32();
        result.ProgramName = reader.ReadString(Protocol.MaximumNameBytes);
        result.ContainerName = reader.ReadString(Protocol.MaximumNameBytes);
        return reader.AtEnd;
    }
}
