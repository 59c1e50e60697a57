namespace FreeFlow.Router.Pairing;

/// <summary>What the kernel said about a shown socket. Nothing here comes from the process.</summary>
internal sealed record SocketFacts
{
    /// <summary>Its addresses (getsockname, getpeername).</summary>
    public required FourTuple Addresses { get; init; }

    /// <summary>With whom it is connected really, where the kernel translates the address that it connected to (DNAT); null where it does not.</summary>
    public FourTuple? Translation { get; init; }

    /// <summary>SO_COOKIE: names the socket, never used twice while the machine runs.</summary>
    public required ulong Cookie { get; init; }

    /// <summary>Its inode, by which /proc shows who has it open; 0 if the kernel would not say.</summary>
    public ulong Inode { get; init; }

    /// <summary>Both of them.</summary>
    public SocketName Name => new(Inode, Cookie);

    /// <summary>SO_NETNS_COOKIE: names its network namespace, likewise.</summary>
    public required ulong NamespaceCookie { get; init; }

    /// <summary>Whose that namespace is.</summary>
    public required NamespaceOwner Owner { get; init; }

    /// <summary>SO_DOMAIN: AF_INET or AF_INET6.</summary>
    public int Domain { get; init; } = Native.Libc.AF_INET;

    /// <summary>Where its directions began; null if the kernel would not say, or nobody outside its namespace could be its other end.</summary>
    public InitialSequence? Sequence { get; init; }

    /// <summary>What its program has asked for by SO_SNDBUF and SO_RCVBUF; 0 where the kernel chooses, or does not say (before Linux 5.16).</summary>
    public ulong SendBuffer { get; init; }
    public ulong ReceiveBuffer { get; init; }

    /// <summary>SO_BINDTOIFINDEX: the interface it is bound to, 0 if none.</summary>
    public int BoundInterface { get; init; }
}
