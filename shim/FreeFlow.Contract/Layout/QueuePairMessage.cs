using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>
/// One message between two queue pairs: one cache line. The sender writes everything, then <see cref="Sequence"/>; the reader writes <see cref="Status"/>, then raises
/// <see cref="QueuePairHeader.Consumed"/>. Payload of at most <see cref="QueuePairLayout.InlineBytes"/> lies in the message, longer payload in the data area, one message behind the other.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = QueuePairLayout.MessageBytes)]
public unsafe struct QueuePairMessage
{
    /// <summary>The message's number plus one, once it is whole.</summary>
    [FieldOffset(0)] public ulong Sequence;
    /// <summary>Payload, in bytes. For a write with immediate: the bytes written, which do not lie here.</summary>
    [FieldOffset(8)] public uint Length;
    /// <summary>A <see cref="QueuePairMessageKind"/>.</summary>
    [FieldOffset(12)] public ushort Kind;
    /// <summary>1: solicited event.</summary>
    [FieldOffset(14)] public ushort Solicited;
    /// <summary>Immediate data in network order, or the key to invalidate.</summary>
    [FieldOffset(16)] public uint Immediate;
    /// <summary>By the reader, a <see cref="QueuePairAnswer"/>.</summary>
    [FieldOffset(20)] public uint Status;
    /// <summary>Of a datagram: the Q_Key it was sent with.</summary>
    [FieldOffset(24)] public uint Qkey;
    /// <summary>Of a datagram: traffic class (8 bits) and flow label (20 bits), as the first word of a GRH has them.</summary>
    [FieldOffset(28)] public uint Flow;
    [FieldOffset(32)] public fixed byte Inline[(int)QueuePairLayout.InlineBytes];
}
