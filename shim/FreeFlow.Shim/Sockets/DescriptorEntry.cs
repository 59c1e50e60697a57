namespace FreeFlow.Shim.Sockets;

/// <summary>What this process knows of one descriptor number. Private to the process; a forked child starts with a copy.</summary>
internal struct DescriptorEntry
{
    /// <summary>Index of the connection's record plus one; 0 if there is none.</summary>
    public uint Connection;

    /// <summary>Index plus one of the first epoll registration of this descriptor; 0 if there is none.</summary>
    public int FirstRegistration;

    /// <summary>Next descriptor of the same connection (dup) plus one; 0 ends the list.</summary>
    public int NextDescriptor;

    /// <summary>For an epoll instance: its index plus one.</summary>
    public int Instance;

    /// <summary>Of a socket without a connection: negative time-outs that were set on it, which its connections inherit.</summary>
    public ConnectionFlags Timeouts;

    /// <summary>For an io_uring: the index of its submission queue plus one.</summary>
    public int Queue;
}
