using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// The next event of a channel: [type, sequence, identifier, user, kind, event, status, number, key, parameters, private data].
/// </summary>
public ref struct VerbsCmEvent
{
    /// <summary>As in the request.</summary>
    public uint Sequence;

    /// <summary>The connection identifier, by the number that the router gave it.</summary>
    public uint Identifier;

    /// <summary>What the process has named it by; of a request, the listener's.</summary>
    public ulong User;

    /// <summary>IBV_QPT_RC, IBV_QPT_UC or IBV_QPT_UD.</summary>
    public uint Kind;

    /// <summary>RDMA_CM_EVENT_* (<see cref="CmEventKind"/>).</summary>
    public uint Event;

    /// <summary>0; the reason of a rejection; or a negative errno, as two's complement.</summary>
    public uint Status;

    /// <summary>The peer's queue pair.</summary>
    public uint Number;

    /// <summary>Of a datagram queue pair.</summary>
    public uint QueueKey;

    /// <summary><see cref="CmParameters"/>.</summary>
    public ulong Parameters;

    /// <summary>What the peer's program has told.</summary>
    public ReadOnlySpan<byte> PrivateData;

    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(11);
        writer.WriteUInt64((ulong)MessageType.VerbsCmEvent);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Identifier);
        writer.WriteUInt64(User);
        writer.WriteUInt64(Kind);
        writer.WriteUInt64(Event);
        writer.WriteUInt64(Status);
        writer.WriteUInt64(Number);
        writer.WriteUInt64(QueueKey);
        writer.WriteUInt64(Parameters);
        writer.WriteBytes(PrivateData);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out VerbsCmEvent result)
    {
        result = default;
        StrictReader reader = new(message);
        if (reader.ReadArrayHeader() != 11 || reader.ReadUInt64() != (ulong)MessageType.VerbsCmEvent) return false;
        result.Sequence = reader.ReadUInt32();
        result.Identifier = reader.ReadUInt32();
        result.User = reader.ReadUInt64();
        result.Kind = reader.ReadUInt32();
        result.Event = reader.ReadUInt32();
        result.Status = reader.ReadUInt32();
        result.Number = reader.ReadUInt32();
        result.QueueKey = reader.ReadUInt32();
        result.Parameters = reader.ReadUInt64();
        result.PrivateData = reader.ReadBytes(VerbsProtocol.MaximumPrivateBytes);
        return reader.AtEnd
            && result.Kind is >= VerbsProtocol.ReliableConnection and <= VerbsProtocol.UnreliableDatagram
            && result.Event <= (uint)CmEventKind.TimeWaitExit
            && result.Number <= VerbsProtocol.MaximumQueuePairNumber
            && result.Parameters <= CmParameters.Maximum;
    }
}
