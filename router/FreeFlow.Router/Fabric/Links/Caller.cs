using System;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Native;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>
/// Connects by connect(2) itself. A socket that the framework has connected with a time limit stays in its epoll set for good, and then every packet of the link wakes
/// threads of its pool, which find nothing to do.
/// </summary>
internal static unsafe class Caller
{
    /// <summary>A blocking socket from one of this host's addresses to another host; null, and one line why, if there is no answer in time.</summary>
    public static Socket? TryConnect(IPAddress from, IPEndPoint to, int milliseconds, out string problem)
    {
        problem = "";
        int descriptor = Libc.socket(to.AddressFamily == AddressFamily.InterNetwork ? Libc.AF_INET : Libc.AF_INET6, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        if (descriptor >= 0)
        {
            long* limit = stackalloc long[2] { milliseconds / 1000, milliseconds % 1000 * 1000 };
            Libc.setsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_SNDTIMEO, limit, 2 * sizeof(long));
            if (Call(descriptor, new IPEndPoint(from, 0), &Libc.bind) == 0 && Call(descriptor, to, &Libc.connect) == 0) return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
        }
        problem = Errno.Last == Errno.EINPROGRESS ? "no answer" : Errno.LastText;
        if (descriptor >= 0) Libc.close(descriptor);
        return null;
    }

    private static int Call(int descriptor, IPEndPoint endpoint, delegate*<int, void*, uint, int> call)
    {
        SocketAddress address = endpoint.Serialize();
        fixed (byte* bytes = address.Buffer.Span) return call(descriptor, bytes, (uint)address.Size);
    }
}
