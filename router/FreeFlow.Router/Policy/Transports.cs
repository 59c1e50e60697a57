using System;

namespace FreeFlow.Router.Policy;

/// <summary>What a rule lets a connection's bytes go over, beside the kernel, which always may.</summary>
[Flags]
internal enum Transports
{
    /// <summary>The kernel alone, where the network's own policy rules.</summary>
    Kernel = 0,

    /// <summary>Shared memory, on one host.</summary>
    SharedMemory = 1,

    /// <summary>RDMA.</summary>
    Rdma = 2,

    /// <summary>The TCP fabric between hosts.</summary>
    Fabric = 4,

    All = SharedMemory | Rdma | Fabric,
}
