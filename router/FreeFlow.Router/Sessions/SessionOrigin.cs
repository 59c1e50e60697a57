using System.Globalization;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// The namespaces that a session's process connected from, by the kernel's word about the session's own socket. Nothing that the process sends takes part: a socket of another
/// namespace is easily had (the router itself gives doorbells to everyone) and shows nothing about who sends it.
/// </summary>
/// <param name="Network">SO_NETNS_COOKIE of the network namespace: an accepted AF_UNIX socket belongs to the namespace of the socket that connected.</param>
/// <param name="ProcessIds">Inode of the pid namespace; 0 if the kernel would not say.</param>
/// <param name="Users">Inode of the user namespace; 0 if the kernel would not say.</param>
internal readonly record struct SessionOrigin(ulong Network, ulong ProcessIds, ulong Users)
{
    /// <summary>False for a process that has ended, or that the router may not look at: it is nobody's equal.</summary>
    public bool IsKnown => Network != 0 && ProcessIds != 0 && Users != 0;

    /// <summary>The router's own, given the cookie of its network namespace.</summary>
    public static SessionOrigin Own(ulong network) => new(network, Inode("self", "pid"), Inode("self", "user"));

    /// <summary>That of the process at the other end of an accepted socket.</summary>
    public static unsafe SessionOrigin Of(int socket)
    {
        PeerCredentials peer;
        uint length = (uint)sizeof(PeerCredentials);
        if (!SocketOptions.TryGet(socket, Libc.SO_NETNS_COOKIE, out ulong network)) return default;
        if (Libc.getsockopt(socket, Libc.SOL_SOCKET, Libc.SO_PEERCRED, &peer, &length) != 0 || peer.ProcessId <= 0) return new SessionOrigin(network, 0, 0);
        string process = peer.ProcessId.ToString(CultureInfo.InvariantCulture);
        SessionOrigin origin = new(network, Inode(process, "pid"), Inode(process, "user"));
        // The number may be another process's by now; it was not while the peer still lives after the look.
        return HasEnded(socket) ? new SessionOrigin(network, 0, 0) : origin;
    }

    /// <summary>False where the kernel has no SO_PEERPIDFD (before 6.5) to ask.</summary>
    private static unsafe bool HasEnded(int socket)
    {
        int handle;
        uint length = sizeof(int);
        if (Libc.getsockopt(socket, Libc.SOL_SOCKET, Libc.SO_PEERPIDFD, &handle, &length) != 0) return Errno.Last != Errno.ENOPROTOOPT;
        PollDescriptor ended = new() { Descriptor = handle, Events = PollDescriptor.POLLIN };
        bool gone = Libc.poll(&ended, 1, 0) != 0;
        Libc.close(handle);
        return gone;
    }

    private static ulong Inode(string process, string name) => Libc.stat($"/proc/{process}/ns/{name}", out FileStatus status) == 0 ? status.Inode : 0;
}
