namespace FreeFlow.Router.Fabric.Wire;

/// <summary>What a frame between two routers says. Numbers are part of the wire format: append only.</summary>
internal enum FrameType : ushort
{
    /// <summary>First frame of each side, never again. Payload: <see cref="FabricHello"/>.</summary>
    Hello = 1,
    /// <summary>Nothing to say for a while, but alive.</summary>
    Ping = 2,

    // About a connection that has no stream yet; stream 0.
    /// <summary>A connection's end is here and waits. Payload: <see cref="FabricOffer"/>.</summary>
    Offer = 16,
    /// <summary>An offered end waits no longer. Position: its number.</summary>
    Withdraw = 17,
    /// <summary>Both ends are known, and this side has made its ring. Payload: <see cref="FabricAccept"/>.</summary>
    Accept = 18,

    // About a stream, which the frame names by its receiver's number (docs/fabric.md).
    /// <summary>Payload: bytes of the ring from Position on.</summary>
    Data = 32,
    /// <summary>Only the credit that every frame of a stream carries.</summary>
    Credit = 33,
    /// <summary>The reader here is Ready.</summary>
    Ready = 34,
    /// <summary>The writer here has switched to the ring, at kernel byte Position.</summary>
    Switch = 35,
    /// <summary>The reader here wants the kernel, or cannot take the switch any more. Position <see cref="FrameHeader.Withdrawn"/>: it takes that back, and waits for <see cref="RecallAnswer"/>.</summary>
    Recall = 36,
    /// <summary>The writer here never switched, and never will.</summary>
    Released = 37,
    /// <summary>The writer here has ended, its last byte in the ring before Position.</summary>
    WriterClosed = 38,
    /// <summary>Nobody reads here any more; with Position <see cref="FrameHeader.ReadsOn"/> only what is in the ring.</summary>
    ReaderClosed = 39,
    /// <summary>This side is done with the stream; answered by the same, after which its numbers mean nothing any more.</summary>
    Close = 40,
    /// <summary>To a <see cref="Recall"/> that was taken back. Position <see cref="FrameHeader.Withdrawn"/>: it is, and the writer here stays in the ring; 0: too late, its mark comes, or <see cref="Released"/> has.</summary>
    RecallAnswer = 41,
}
