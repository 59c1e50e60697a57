namespace FreeFlow.Contract;

/// <summary>RDMA_CM_EVENT_* (rdma_get_cm_event(3)).</summary>
public enum CmEventKind : uint
{
    /// <summary>RDMA_CM_EVENT_ADDR_RESOLVED.</summary>
    AddressResolved = 0,

    /// <summary>RDMA_CM_EVENT_ADDR_ERROR.</summary>
    AddressError = 1,

    /// <summary>RDMA_CM_EVENT_ROUTE_RESOLVED.</summary>
    RouteResolved = 2,

    /// <summary>RDMA_CM_EVENT_CONNECT_REQUEST.</summary>
    ConnectRequest = 4,

    /// <summary>RDMA_CM_EVENT_CONNECT_RESPONSE.</summary>
    ConnectResponse = 5,

    /// <summary>RDMA_CM_EVENT_UNREACHABLE.</summary>
    Unreachable = 7,

    /// <summary>RDMA_CM_EVENT_REJECTED.</summary>
    Rejected = 8,

    /// <summary>RDMA_CM_EVENT_ESTABLISHED.</summary>
    Established = 9,

    /// <summary>RDMA_CM_EVENT_DISCONNECTED.</summary>
    Disconnected = 10,

    /// <summary>RDMA_CM_EVENT_TIMEWAIT_EXIT.</summary>
    TimeWaitExit = 15,
}
