using FreeFlow.Contract;

namespace FreeFlow.Router.Verbs;

/// <summary>An event that waits on a channel.</summary>
/// <param name="Of">The identifier that it is counted for; of a request, the listener.</param>
/// <param name="Kind">What has happened.</param>
internal readonly record struct CmEvent(CmIdentifier Of, CmEventKind Kind)
{
    /// <summary>0; the reason of a rejection; or a negative errno.</summary>
    public int Status { get; init; }

    /// <summary>Of a request: the identifier that was made for it.</summary>
    public CmIdentifier? Request { get; init; }

    /// <summary>The peer's queue pair.</summary>
    public uint Number { get; init; }

    public uint QueueKey { get; init; }

    public ulong Parameters { get; init; }

    /// <summary>What the peer's program has told; null is nothing.</summary>
    public byte[]? Data { get; init; }
}
