namespace FreeFlow.Contract;

/// <summary>Where a connection's bytes go; what <c>freeflow status</c> shows (design, principle 8).</summary>
public enum ConnectionState : uint
{
    /// <summary>The record is not in use.</summary>
    Free = 0,

    /// <summary>Kernel path, not (or no longer) offered.</summary>
    Kernel = 1,

    /// <summary>Shown to the router, which waits for the other end.</summary>
    Offered = 2,

    /// <summary>Both ends have the ring; neither direction has been handed over yet.</summary>
    Joined = 3,

    /// <summary>At least one direction runs through shared memory.</summary>
    RingSharedMemory = 4,

    /// <summary>At least one direction runs through RDMA.</summary>
    RingRdma = 5,

    /// <summary>At least one direction runs through the TCP fabric between hosts.</summary>
    RingFabric = 6,

    /// <summary>A direction was given back to the kernel and stays there.</summary>
    HandedBack = 7,

    /// <summary>Closed by its last holder; the record is about to become free.</summary>
    Closed = 8,
}
