using System;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Sessions;

/// <summary>Who may give an end here its ring: it keeps count for the limits.</summary>
internal interface IRingGiver
{
    /// <summary>
    /// Makes a ring whose other side is this router, for an end whose process is not told yet; with the return marks that the other end has sent. Null if a limit, memory or
    /// descriptors forbid it; the end is then refused.
    /// </summary>
    HeldRing? HoldMirrored(ConnectionEnd end, uint marksToFind, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim);

    /// <summary>A ring that was held for the end came to nothing: it waits for its other end as before.</summary>
    void WaitAgain(ConnectionEnd end);

    /// <summary>What the policy says about the connection and these ways; noted with the end. An open one is looked for again when more is known.</summary>
    Verdict Decide(ConnectionEnd end, Transports ways);

    /// <summary>How fast the end may send to another host; null: as it likes.</summary>
    SendRate? RateOf(ConnectionEnd end);

    /// <summary>Leaves the end to the kernel, by the policy.</summary>
    void DenyByPolicy(ConnectionEnd end);

    /// <summary>Another router has offered an end that mirrors this one and is not its other end: after a few of them it is left to the kernel.</summary>
    void Doubt(ConnectionEnd end);

    /// <summary>Data bytes of one direction of a mirrored ring that is made now, unless the other router decides, or an end has a place for one already.</summary>
    ulong MirroredRingBytes { get; }
}
