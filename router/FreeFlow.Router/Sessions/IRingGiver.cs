using System;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>Who may give an end here its ring: it keeps count for the limits.</summary>
internal interface IRingGiver
{
    /// <summary>Makes a ring whose other side is this router, and tells the end's process of it. Null if a limit, memory or descriptors forbid it; the end is then refused.</summary>
    MirroredRing? GiveMirrored(ConnectionEnd end, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim);

    /// <summary>Data bytes of one direction of a ring, unless the other router has decided.</summary>
    ulong RingBytes { get; }
}
