namespace FreeFlow.Contract.Layout;

/// <summary>What the responder says of a message that it has taken; anything else counts as <see cref="OperationError"/>.</summary>
public enum QueuePairAnswer : uint
{
    Success = 0,

    /// <summary>The receive was too short (IBA 9.9.2: NAK, invalid request).</summary>
    InvalidRequest = 1,

    /// <summary>The responder could not write into its own receive (NAK, remote operational error).</summary>
    OperationError = 2,
}
