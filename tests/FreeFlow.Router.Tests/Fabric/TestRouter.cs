using System;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>Routers on loopback addresses: real ones, and one that the test plays itself.</summary>
internal static class TestRouter
{
    public static InternetAddress Address(string text) => InternetAddress.FromIPv4(IPAddress.Parse(text).GetAddressBytes());

    /// <summary>A real one.</summary>
    public static TcpFabric Start(FabricOptions options, RecordedEvents events)
    {
        TcpFabric fabric = new(options, new Log(false));
        fabric.Start(events);
        return fabric;
    }

    /// <summary>Calls an insecure router and says Hello as it should; what follows is the test's.</summary>
    public static Socket Call(string from, string to, int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect(new IPEndPoint(IPAddress.Parse(to), port));
        socket.Send(Hello(from));
        return socket;
    }

    public static byte[] Hello(string from, uint version = FrameHeader.Version, ReadOnlySpan<byte> secret = default)
    {
        byte[] message = new byte[FrameHeader.MaximumMessageBytes];
        int length = new FabricHello { Version = version, Host = Address(from), Instance = 1, Secret = secret }.Write(message);
        return Frame(new FrameHeader { Type = FrameType.Hello, Length = (uint)length }, message.AsSpan(0, length));
    }

    public static byte[] Frame(FrameHeader header, ReadOnlySpan<byte> payload = default)
    {
        byte[] frame = new byte[FrameHeader.Bytes + payload.Length];
        MemoryMarshal.Write(frame, header);
        payload.CopyTo(frame.AsSpan(FrameHeader.Bytes));
        return frame;
    }
}
