using System;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// A mirrored ring for an end that is not told of it before the other router has shown that its end takes part: what that one had offered may have been out of date, and
/// with it the count of return marks by which this end will know whether one is still to come (docs/fabric.md).
/// </summary>
/// <param name="ring">Its descriptors; this object's.</param>
/// <param name="mirrored">The router's side; the stream's.</param>
/// <param name="end">Whose it is.</param>
/// <param name="tell">Tells the end's process, if the end is still what it was.</param>
internal sealed class HeldRing(Ring ring, MirroredRing mirrored, ConnectionEnd end, Action<Ring> tell) : IDisposable
{
    /// <summary>The router's side.</summary>
    public MirroredRing Mirrored { get; } = mirrored;

    public ConnectionEnd End { get; } = end;

    /// <summary>Gives it to the end; if that is gone, the stream finds the doorbell closed.</summary>
    public void Give()
    {
        tell(ring);
        Dispose();
    }

    /// <summary>Nobody gets it.</summary>
    public void Dispose() => ring.Dispose();
}
