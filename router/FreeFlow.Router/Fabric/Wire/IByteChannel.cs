using System;
using System.Security.Cryptography.X509Certificates;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>A reliable stream of bytes to another router. One thread at a time sends, one receives; <see cref="Abort"/> by any.</summary>
internal interface IByteChannel : IDisposable
{
    /// <summary>
    /// Sends all of the three pieces, in order, waiting as long as the other side takes some now and then; false if the channel is broken. Without <paramref name="mayWait"/>
    /// what the other side does not take at once is kept, and goes before anything else with the next call.
    /// </summary>
    bool Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, bool mayWait);

    /// <summary>Payload of the largest Data frames that are worth sending.</summary>
    uint LargestPayload => FrameHeader.MaximumDataBytes;

    /// <summary>True if something was kept.</summary>
    bool HasKept { get; }

    /// <summary>True if <see cref="Receive"/> would not wait. The receiving thread's.</summary>
    bool HasInput { get; }

    /// <summary>Why it is broken, if the other side, or somebody between, has broken it.</summary>
    string? Problem => null;

    /// <summary>What the other router has shown; null without certificates.</summary>
    X509Certificate2? Certificate => null;

    /// <summary>Waits for bytes and puts them into the pieces, the first one first; how many, or 0 if the channel is broken, at its end, or silent for too long.</summary>
    int Receive(Span<byte> first, Span<byte> second, Span<byte> third);

    /// <summary>Makes both calls fail, soon and for good.</summary>
    void Abort();
}
