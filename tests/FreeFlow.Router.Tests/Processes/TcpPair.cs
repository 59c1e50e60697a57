using System;
using System.Net;
using System.Net.Sockets;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Both ends of one TCP connection.</summary>
internal sealed record TcpPair(Socket Client, Socket Server) : IDisposable
{
    /// <summary>A connection within the calling thread's namespace; ports of 0 are chosen by the kernel.</summary>
    public static TcpPair Connect(IPEndPoint client, IPEndPoint server)
    {
        using Socket listener = Listen(server);
        return Connect(client, listener);
    }

    /// <summary>A loopback connection.</summary>
    public static TcpPair Loopback() => Connect(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>A connection to a listener that stays.</summary>
    public static TcpPair Connect(IPEndPoint client, Socket listener)
    {
        Socket end = ConnectTo(client, (IPEndPoint)listener.LocalEndPoint!);
        return new TcpPair(end, listener.Accept());
    }

    public static Socket ConnectTo(IPEndPoint local, IPEndPoint remote)
    {
        Socket end = new(local.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        end.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        end.Bind(local);
        end.Connect(remote);
        return end;
    }

    public static Socket Listen(IPEndPoint at)
    {
        Socket listener = new(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(at);
        listener.Listen();
        return listener;
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }
}
