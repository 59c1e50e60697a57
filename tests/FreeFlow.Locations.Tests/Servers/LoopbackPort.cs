using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>
/// Ports that nobody listened on a moment ago, each once. Below those that the kernel chooses for whoever connects (ip_local_port_range): a server that starts a moment later would
/// find one of them taken now and then.
/// </summary>
internal static class LoopbackPort
{
    private const int First = 20_000, Count = 12_000;

    private static int s_last = Environment.ProcessId * 97;

    public static int Next()
    {
        while (true)
        {
            int port = First + ((Interlocked.Increment(ref s_last) & int.MaxValue) % Count);
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try { socket.Bind(new IPEndPoint(IPAddress.Loopback, port)); }
            catch (SocketException) { continue; }
            return port;
        }
    }
}
