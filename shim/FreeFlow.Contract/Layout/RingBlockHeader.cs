using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>
/// Head of one direction's block in a ring memfd; <see cref="RingLayout"/> says where the blocks and their data lie. Version 5, little endian.
/// </summary>
/// <remarks>
/// Positions (<see cref="Tail"/>, <see cref="Base"/>, <see cref="Head"/>, <see cref="BackAt"/>) count bytes since the ring was made and never wrap.
/// A byte at position p lies at <c>data[(p - Base) &amp; (Capacity - 1)]</c>. The writer may move Base to Tail while the ring is empty, before it
/// publishes a new Tail: nobody reads data then, and small traffic stays in the block's first page.
/// Both processes can write every word: each side keeps its own positions in its own memory and only checks and uses the other's.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = RingLayout.HeaderBytes)]
public unsafe struct RingBlockHeader
{
    /// <summary>Of <see cref="ReaderClosed"/>: the last holder on the reading side has closed; nobody will read any more.</summary>
    public const uint ReaderGone = 1;

    /// <summary>Of <see cref="ReaderClosed"/>: it is shut down both ways, reads what is in the ring, and its kernel answers whatever else comes with a reset.</summary>
    public const uint ReaderReadsOn = 2;

    [FieldOffset(0)] public uint Magic;
    [FieldOffset(4)] public uint Version;
    [FieldOffset(8)] public ulong Capacity;

    // Written by the writer.
    [FieldOffset(64)] public ulong Tail;
    [FieldOffset(72)] public ulong Base;

    // Written by the writer, once each.
    /// <summary>Payload bytes that the writer's side ever gave to the kernel before the ring took over.</summary>
    [FieldOffset(80)] public ulong SwitchAt;
    /// <summary>Ring position from which the kernel carries the bytes again: what the writer knew the reader to have read, or Tail. The reader drops what it has read behind it.</summary>
    [FieldOffset(88)] public ulong BackAt;

    // Written by the writer, with Tail.
    /// <summary>The processor's clock at the last bytes, or at the end of the stream if they were read then, in its own unit; a hint that puts the reports of one epoll_wait into the order of arrival. 0: unknown.</summary>
    [FieldOffset(96)] public ulong WrittenAt;

    // Written by the reader.
    [FieldOffset(128)] public ulong Head;

    /// <summary>1: the reader sleeps or is about to; who sets it back to 0 rings the reader's doorbell. Starts at 1.</summary>
    [FieldOffset(192)] public uint ReaderWaiting;

    /// <summary>1: the writer waits for space; who sets it back to 0 rings the writer's doorbell.</summary>
    [FieldOffset(256)] public uint WriterWaiting;

    /// <summary>A <see cref="HandoverState"/>.</summary>
    [FieldOffset(320)] public uint Handover;

    /// <summary>A <see cref="RecallState"/>: the reader asks the writer to go back to the kernel.</summary>
    [FieldOffset(324)] public uint ReaderWantsKernel;

    /// <summary>0, <see cref="ReaderGone"/> or <see cref="ReaderReadsOn"/>.</summary>
    [FieldOffset(328)] public uint ReaderClosed;

    /// <summary>1: the writing side has shut down or closed; a hint that the kernel's end of stream is on its way.</summary>
    [FieldOffset(332)] public uint WriterClosed;

    /// <summary>Written by the reader: the receive buffer that its program asked for (SO_RCVBUF); 0 if none.</summary>
    [FieldOffset(336)] public uint ReaderBuffer;

    // The return from a ring, by the writer or by its router, which stands in for one that does not get to it (docs/fabric.md).
    /// <summary>A <see cref="ReturnerState"/>: who works on the return. The two that follow are written by that one alone.</summary>
    [FieldOffset(340)] public uint Returner;
    /// <summary>Ring position at which the writer left the ring; in mirrored rings the mark says it, too. Bytes behind it are the kernel's.</summary>
    [FieldOffset(344)] public ulong ReturnEnd;
    /// <summary>What the kernel has taken of the mark, if there is one, and of the ring's rest behind it.</summary>
    [FieldOffset(352)] public ulong ReturnSent;
    /// <summary>A <see cref="LeavingState"/>, by the writer, under its sending lock.</summary>
    [FieldOffset(360)] public uint WriterLeft;

    /// <summary>
    /// Written by the router before anybody else has the ring: zeros if the two sides are the ends of the connection; otherwise the other side is the router, which
    /// mirrors the ring of an end on another host, and these bytes mark the sender's return in the kernel stream (docs/fabric.md).
    /// </summary>
    [FieldOffset(384)] public fixed byte ReturnMark[RingLayout.ReturnMarkBytes];
}
