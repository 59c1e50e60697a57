namespace FreeFlow.Contract;

/// <summary>Commands of <see cref="Messages.VerbsCmCommand"/>: those of rdma_cm(7) that need no more than a number.</summary>
public enum CmCommand : uint
{
    /// <summary>rdma_create_event_channel(3). Value of the answer: its number; one descriptor, readable while there are events.</summary>
    OpenChannel = 1,

    /// <summary>rdma_destroy_event_channel(3): its identifiers go with it.</summary>
    CloseChannel = 2,

    /// <summary>rdma_get_cm_event(3): the oldest event is taken off the channel; EAGAIN if there is none.</summary>
    NextEvent = 3,

    /// <summary>What the router knows of the identifier.</summary>
    Query = 4,

    /// <summary>rdma_listen(3). Argument: the backlog.</summary>
    Listen = 5,

    /// <summary>rdma_resolve_route(3).</summary>
    ResolveRoute = 6,

    /// <summary>The requester has made its queue pair ready to send; or rdma_establish(3).</summary>
    Establish = 7,

    /// <summary>rdma_notify(3). Argument: the asynchronous event.</summary>
    Notify = 8,

    /// <summary>rdma_disconnect(3).</summary>
    Disconnect = 9,

    /// <summary>rdma_destroy_id(3). Value of the answer: events of it that were fetched, and <see cref="VerbsProtocol.CmHasNoMoreEvents"/>.</summary>
    Destroy = 10,

    /// <summary>rdma_migrate_id(3) to this channel. Argument: the channel it comes from. Value of the answer: as of <see cref="Destroy"/>.</summary>
    Migrate = 11,

    /// <summary>RDMA_OPTION_ID_REUSEADDR. Argument: 1 or 0.</summary>
    ReuseAddress = 12,

    /// <summary>RDMA_OPTION_ID_AFONLY. Argument: 1 or 0.</summary>
    ExcludeFamily = 13,

    /// <summary>RDMA_OPTION_ID_ACK_TIMEOUT. Argument: five bits.</summary>
    AcknowledgeTimeout = 14,
}
