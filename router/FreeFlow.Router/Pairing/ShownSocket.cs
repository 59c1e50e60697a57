using System;
using FreeFlow.Contract;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>What a socket says of itself that a program has shown: read on any thread, since the socket's lock is the program's.</summary>
internal sealed class ShownSocket : IDisposable
{
    public FourTuple Addresses { get; init; }
    public ulong Cookie { get; init; }
    public ulong Inode { get; init; }
    public ulong NamespaceCookie { get; init; }
    public int Domain { get; init; }
    public int BoundInterface { get; init; }
    public ulong SendBuffer { get; init; }
    public ulong ReceiveBuffer { get; init; }

    /// <summary>Its network namespace, where that is not this router's own; −1 if it could not be had, or is.</summary>
    public int Network { get; private set; } = -1;

    /// <summary>Why it could not be had (errno).</summary>
    public int NetworkProblem { get; private set; }

    /// <summary>Why there is nothing more: it is no established TCP connection, or the kernel does not say enough.</summary>
    public Reason Problem { get; init; }

    /// <summary>Reads it.</summary>
    /// <param name="socket">What was shown: any descriptor.</param>
    /// <param name="ownNamespace">SO_NETNS_COOKIE of this router.</param>
    public static ShownSocket Read(int socket, ulong ownNamespace)
    {
        if (!SocketOptions.IsEstablishedTcp(socket, out int domain) || !SocketOptions.TryGetAddresses(socket, out FourTuple addresses)) return new ShownSocket { Problem = Reason.NotEstablished };
        if (!SocketOptions.TryGet(socket, Libc.SO_COOKIE, out ulong cookie) || !SocketOptions.TryGet(socket, Libc.SO_NETNS_COOKIE, out ulong namespaceCookie)
            || !SocketOptions.TryGet(socket, Libc.SO_BINDTOIFINDEX, out int boundInterface)) return new ShownSocket { Problem = Reason.NoWitness };
        ShownSocket shown = new()
        {
            Addresses = addresses, Cookie = cookie, Inode = Libc.fstat(socket, out FileStatus status) == 0 ? status.Inode : 0, NamespaceCookie = namespaceCookie,
            Domain = domain, BoundInterface = boundInterface,
            SendBuffer = SocketOptions.Buffer(socket, Libc.SO_SNDBUF), ReceiveBuffer = SocketOptions.Buffer(socket, Libc.SO_RCVBUF),
        };
        if (namespaceCookie == ownNamespace) return shown;
        shown.Network = Libc.ioctl(socket, Libc.SIOCGSKNS, 0); // needs CAP_NET_ADMIN there
        if (shown.Network < 0) shown.NetworkProblem = Errno.Last;
        return shown;
    }

    public void Dispose()
    {
        if (Network >= 0) Libc.close(Network);
        Network = -1;
    }
}
