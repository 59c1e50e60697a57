using System.Net;
using System.Net.Sockets;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>Ports that nobody listened on a moment ago.</summary>
internal static class LoopbackPort
{
    public static int Next()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
