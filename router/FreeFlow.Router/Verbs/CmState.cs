namespace FreeFlow.Router.Verbs;

/// <summary>States of a connection identifier (rdma_cm(7)).</summary>
internal enum CmState
{
    Idle,
    Bound,
    AddressResolved,
    RouteResolved,
    Listening,

    /// <summary>It has asked for a connection.</summary>
    Connecting,

    /// <summary>It was made for a request, which it has not answered yet.</summary>
    Requested,

    /// <summary>It has accepted, and its peer has not yet said that it is ready.</summary>
    Accepted,

    /// <summary>Its peer has accepted, and it has not yet said that it is ready.</summary>
    Answered,

    Connected,
    Disconnected,
}
