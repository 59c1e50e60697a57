using System.Net;
using System.Net.Sockets;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

public sealed class CongestionControlTests
{
    [Test]
    public void WithinADataCentreCubicTakesThePlaceOfBbr() => Assert.That(AfterWords("bbr"), Is.EqualTo("cubic"));

    [Test]
    public void WhateverElseTheHostHasChosenStays() => Assert.That(AfterWords("reno"), Is.EqualTo("reno"));

    [Test]
    public void AnUnknownOneIsRefusedByName()
    {
        using TcpFabric fabric = new(new FabricOptions { Host = InternetAddress.FromIPv4([127, 0, 5, 3]), Port = 24799, Insecure = true, Congestion = "no-such-control" }, new Log(false));
        Assert.That(() => fabric.Start(new RecordedEvents()), Throws.TypeOf<RouterException>().With.Message.Contains("--fabric-congestion no-such-control"));
    }

    private static string AfterWords(string before)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (!CongestionControl.TrySet((int)client.Handle, before)) Assert.Ignore($"this kernel has no {before}");
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        client.Connect(listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        byte[] word = new byte[64];
        for (int i = 0; i < 3; i++)
        {
            client.Send(word);
            server.Receive(word);
            server.Send(word);
            client.Receive(word);
        }
        CongestionControl.Fit((int)client.Handle);
        return CongestionControl.Of((int)client.Handle);
    }
}
