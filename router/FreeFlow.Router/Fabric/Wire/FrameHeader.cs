using System.Runtime.InteropServices;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>Head of every frame between two routers, version 6, little endian; <see cref="Length"/> bytes of payload follow it.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct FrameHeader
{
    public const int Bytes = 32;

    /// <summary>Version of the frames and of the messages in them; named in Hello.</summary>
    public const uint Version = 6;

    /// <summary>Most payload of a frame that is not Data, in bytes.</summary>
    public const uint MaximumMessageBytes = 512;

    /// <summary>Most payload of a Data frame, in bytes.</summary>
    public const uint MaximumDataBytes = 256 * 1024;

    /// <summary>Position of a <see cref="FrameType.Recall"/> that takes the one before back, and of its <see cref="FrameType.RecallAnswer"/> if it is; 0 in all others.</summary>
    public const uint Withdrawn = 1;

    /// <summary>Position of a <see cref="FrameType.ReaderClosed"/> of a reader that still reads what is in its ring; 0 in all others.</summary>
    public const uint ReadsOn = 1;

    [FieldOffset(0)] public uint Length;
    [FieldOffset(4)] public FrameType Type;
    /// <summary>0.</summary>
    [FieldOffset(6)] public ushort Reserved;
    /// <summary>The stream's number at the receiver; 0 if the frame is about none.</summary>
    [FieldOffset(8)] public uint Stream;
    /// <summary>0.</summary>
    [FieldOffset(12)] public uint Reserved2;
    [FieldOffset(16)] public ulong Position;
    /// <summary>Ring position up to which the sender's program has read; of a stream's frames only.</summary>
    [FieldOffset(24)] public ulong Credit;

    /// <summary>True if the head alone is possible; the stream and positions are their receiver's to check.</summary>
    public readonly bool IsPossible => Reserved == 0 && Reserved2 == 0 && Type switch
    {
        FrameType.Data => Length is > 0 and <= MaximumDataBytes && Stream != 0,
        FrameType.Hello or FrameType.Offer or FrameType.Accept => Length is > 0 and <= MaximumMessageBytes && Stream == 0,
        FrameType.Ping or FrameType.Withdraw => Length == 0 && Stream == 0,
        >= FrameType.Credit and <= FrameType.RecallAnswer => Length == 0 && Stream != 0,
        _ => false,
    };
}
