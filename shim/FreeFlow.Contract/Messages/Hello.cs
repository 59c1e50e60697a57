using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// [type, version, slot, process, program, container]. Without a descriptor it asks who answers: nothing has been shown yet. With one, the family table's sealed memfd, it opens the session.
/// </summary>
public ref struct Hello
{
    /// <summary>Must be <see cref="Protocol.Version"/>.</summary>
    public uint ProtocolVersion;
    /// <summary>This process's place among the family table's session slots.</summary>
    public uint Slot;
    /// <summary>The process, by its own pid namespace; for status only.</summary>
    public uint ProcessId;
    /// <summary>File name of the program, UTF-8, at most 64 bytes.</summary>
    public ReadOnlySpan<byte> ProgramName;
    /// <summary>FREEFLOW_NAME, FFR_NAME or FFR_ID, UTF-8, at most 64 bytes, may be empty.</summary>
    public ReadOnlySpan<byte> ContainerName;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(6);
        writer.WriteUInt64((ulong)MessageType.Hello);
        writer.WriteUInt64(ProtocolVersion);
        writer.WriteUInt64(Slot);
        writer.WriteUInt64(ProcessId);
        writer.WriteString(ProgramName);
        writer.WriteString(ContainerName);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out Hello result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 6 || reader.ReadUInt64() != (ulong)MessageType.Hello) return false;
        result.ProtocolVersion = reader.ReadUInt32();
        result.Slot = reader.ReadUInt32();
        result.ProcessId = reader.ReadUInt32();
        result.ProgramName = reader.ReadString(Protocol.MaximumNameBytes);
        result.ContainerName = reader.ReadString(Protocol.MaximumNameBytes);
        return reader.AtEnd;
    }
}
