using System.Text;
using FreeFlow.Contract;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Verbs;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Verbs;

/// <summary>The connection manager's states and events, as the kernel's has them (rdma_cm(7), rdma_get_cm_event(3)).</summary>
public sealed class CmBrokerTests
{
    private const ushort Port = 7471;
    private const string Asked = "ConnectRequest 0";

    private CmBroker _broker = null!;
    private CmEnd _server = null!, _client = null!;

    [SetUp]
    public void Begin()
    {
        _broker = new CmBroker(new Log(false));
        _server = new CmEnd(_broker, 1);
        _client = new CmEnd(_broker, 2);
    }

    [TearDown]
    public void End()
    {
        _server.Dispose();
        _client.Dispose();
    }

    [Test]
    public void ConnectsAndDisconnects()
    {
        _ = _server.Listener(Port);
        CmIdentifier active = _client.Resolved(Port);
        ulong parameters = CmParameters.With(CmParameters.With(0, CmParameters.ResponderResources, 3), CmParameters.InitiatorDepth, 5);
        Assert.That(_client.Connect(active, "hello", parameters), Is.Zero);
        Assert.That(_server.Next(out CmEvent request), Is.EqualTo(Asked));
        CmIdentifier passive = request.Request!;
        Assert.Multiple(() =>
        {
            Assert.That(Text(request), Is.EqualTo("hello"));
            Assert.That(request.Data, Has.Length.EqualTo(VerbsProtocol.RequestBytes));
            Assert.That(request.Number, Is.EqualTo(0x111));
            Assert.That(CmParameters.Get(request.Parameters, CmParameters.ResponderResources), Is.EqualTo(5), "what the requester may ask at once");
            Assert.That(CmParameters.Get(request.Parameters, CmParameters.InitiatorDepth), Is.EqualTo(3));
            Assert.That(passive.Peer, Is.EqualTo(active.Own));
            Assert.That(passive.Own, Is.EqualTo(active.Peer));
        });
        Assert.That(_server.Accept(passive, "welcome", request.Parameters), Is.Zero);
        Assert.That(_client.Next(out CmEvent response), Is.EqualTo("ConnectResponse 0"));
        Assert.That(Text(response), Is.EqualTo("welcome"));
        Assert.That(response.Number, Is.EqualTo(0x222));
        Assert.That(_server.Next(), Is.Empty, "the requester is not ready yet");
        Assert.That(_broker.Establish(active), Is.Zero);
        Assert.That(_server.Next(), Is.EqualTo("Established 0"));
        Assert.That(_broker.Connected, Is.EqualTo(1));
        Assert.That(_broker.Disconnect(passive), Is.Zero);
        Assert.That(_server.Next(), Is.EqualTo("Disconnected 0"));
        Assert.That(_client.Next(), Is.EqualTo("Disconnected 0"));
        Assert.That(_broker.Disconnect(active), Is.Zero, "its peer was faster");
        Assert.That(_client.Next(), Is.Empty);
    }

    [Test]
    public void TellsWhenTheTimeWaitIsOver()
    {
        (CmIdentifier active, _) = Connected();
        _ = _broker.Disconnect(active);
        _ = _client.Next();
        Assert.That(_broker.Patience, Is.Positive);
        while (_broker.Patience > 0) System.Threading.Thread.Sleep(_broker.Patience);
        _broker.LookAtDeadlines();
        Assert.That(_client.Next(), Is.EqualTo("TimeWaitExit 0"));
        Assert.That(_broker.Patience, Is.EqualTo(-1));
    }

    [Test]
    public void RejectsWithPrivateData()
    {
        _ = _server.Listener(Port);
        CmIdentifier active = _client.Resolved(Port);
        _ = _client.Connect(active);
        _ = _server.Next(out CmEvent request);
        Assert.That(_server.Reject(request.Request!, "no"), Is.Zero);
        Assert.That(_client.Next(out CmEvent rejected), Is.EqualTo("Rejected 28"));
        Assert.That(Text(rejected), Is.EqualTo("no"));
        Assert.That(_client.Connect(active), Is.Zero, "it may try again");
        Assert.That(_server.Next(), Is.EqualTo(Asked));
    }

    [Test]
    public void NobodyListens()
    {
        _ = _client.Connect(_client.Resolved(Port));
        Assert.That(_client.Next(), Is.EqualTo("Rejected 8"));
        CmIdentifier away = _client.Create();
        _ = _broker.Resolve(away, CmEnd.At(0), new InternetEndpoint(InternetAddress.FromIPv4([192, 0, 2, 1]), Port), 0);
        _ = _broker.ResolveRoute(away);
        _ = _client.Connect(away);
        _ = _client.Next();
        _ = _client.Next();
        Assert.That(_client.Next(), Is.EqualTo("Unreachable -110"), "an address that nobody here has");
        Assert.That(_broker.Refused, Is.EqualTo(2));
    }

    [Test]
    public void AFullBacklogRejects()
    {
        _ = _server.Listener(Port, backlog: 1);
        CmIdentifier first = _client.Resolved(Port), second = _client.Resolved(Port);
        _ = _client.Connect(first);
        _ = _client.Connect(second);
        Assert.That(_client.Next(), Is.EqualTo("Rejected 28"));
        Assert.That(_server.Next(), Is.EqualTo(Asked));
        _ = _client.Connect(second);
        Assert.That(_server.Next(), Is.EqualTo(Asked), "there is room again");
    }

    [Test]
    public void AnEndThatIsDestroyedIsHeardOf()
    {
        (CmIdentifier active, CmIdentifier passive) = Connected();
        Assert.That(_broker.Destroy(active, out _), Is.EqualTo(3), "events that were fetched: two resolutions and a response");
        Assert.That(_server.Next(), Is.EqualTo("Disconnected 0"));
        _ = _server.Listener(Port + 1);
        active = _client.Resolved(Port + 1);
        _ = _client.Connect(active);
        _ = _server.Next(out CmEvent request);
        _ = _broker.Destroy(request.Request!, out _);
        Assert.That(_client.Next(), Is.EqualTo("Rejected 28"), "before it was accepted");
        _ = _client.Connect(active);
        _ = _server.Next(out request);
        _ = _broker.Destroy(active, out _);
        Assert.That(_server.Accept(request.Request!), Is.EqualTo(Errno.EINVAL), "whoever asked has gone");
        Assert.That(passive.State, Is.EqualTo(CmState.Disconnected));
    }

    [Test]
    public void AListenerThatIsDestroyedRejectsWhatWaits()
    {
        CmIdentifier listener = _server.Listener(Port);
        _ = _client.Connect(_client.Resolved(Port));
        Assert.That(_broker.Destroy(listener, out bool mustQuieten), Is.Zero);
        Assert.That(mustQuieten, "its channel has nothing to tell any more");
        Assert.That(_client.Next(), Is.EqualTo("Rejected 28"));
        _ = _server.Listener(Port);
    }

    [Test]
    public void AProcessThatEndsIsHeardOf()
    {
        _ = Connected();
        _broker.End(_server.Client);
        Assert.That(_client.Next(), Is.EqualTo("Disconnected 0"));
        Assert.That(_server.Client.Identifiers, Is.Empty);
        Assert.That(_server.Client.Channels, Is.Empty);
    }

    [Test]
    public void EventsFollowTheirIdentifierToAnotherChannel()
    {
        (CmIdentifier active, CmIdentifier passive) = Connected();
        _ = _broker.Disconnect(passive);
        CmChannel other = _client.Open();
        Assert.That(CmBroker.Migrate(_client.Client, other.Number, _client.Channel.Number, active.Number, out ulong fetched, out bool mustQuieten), Is.Zero);
        Assert.That(fetched, Is.EqualTo(3));
        Assert.That(mustQuieten);
        Assert.That(_client.Next(), Is.Empty);
        Assert.That(_broker.Next(_client.Client, other.Number, out CmEvent moved), Is.Zero);
        Assert.That(moved.Kind, Is.EqualTo(CmEventKind.Disconnected));
        Assert.That(CmBroker.Find(_client.Client, _client.Channel.Number, active.Number, out _), Is.EqualTo(Errno.EINVAL), "it is another channel's");
        Assert.That(CmBroker.Migrate(_client.Client, other.Number, 4711, active.Number, out _, out _), Is.EqualTo(Errno.EINVAL));
    }

    [Test]
    public void DatagramsAreAskedForAndAnswered()
    {
        _ = _server.Listener(Port, space: VerbsProtocol.PortSpaceUdp);
        CmIdentifier active = _client.Resolved(Port, VerbsProtocol.PortSpaceUdp);
        Assert.That(_client.Connect(active, new string('x', VerbsProtocol.DatagramRequestBytes)), Is.Zero);
        _ = _server.Next(out CmEvent request);
        Assert.That(_server.Accept(request.Request!), Is.Zero);
        Assert.That(_client.Next(out CmEvent established), Is.EqualTo("Established 0"));
        Assert.That(established.Number, Is.EqualTo(0x222));
        Assert.That(_server.Next(), Is.Empty);
        CmIdentifier again = _client.Resolved(Port, VerbsProtocol.PortSpaceUdp);
        _ = _client.Connect(again);
        _ = _server.Next(out request);
        _ = _server.Reject(request.Request!);
        Assert.That(_client.Next(), Is.EqualTo("Unreachable 28"));
    }

    [Test]
    public void EachPortSpaceAndAddressHasItsOwnPorts()
    {
        CmIdentifier listener = _server.Listener(Port), other = _server.Create();
        Assert.That(_broker.Bind(other, CmEnd.At(Port)), Is.EqualTo(Errno.EADDRINUSE));
        Assert.That(_broker.Bind(other, new InternetEndpoint(InternetAddress.FromIPv4([0, 0, 0, 0]), Port)), Is.EqualTo(Errno.EADDRINUSE), "all addresses are that one, too");
        Assert.That(_broker.Bind(other, new InternetEndpoint(InternetAddress.FromIPv4([192, 0, 2, 1]), Port)), Is.EqualTo(Errno.EADDRNOTAVAIL), "not this network's");
        Assert.That(_broker.Bind(_server.Create(VerbsProtocol.PortSpaceUdp), CmEnd.At(Port)), Is.Zero);
        _ = _broker.Destroy(listener, out _);
        Assert.That(_broker.Bind(other, CmEnd.At(Port)), Is.Zero);
        CmIdentifier some = _server.Create();
        Assert.That(_broker.Bind(some, CmEnd.At(0)), Is.Zero);
        Assert.That(some.Own.Port, Is.InRange(32768, 60999));
    }

    [Test]
    public void WhatIsOutOfTurnIsRefused()
    {
        CmIdentifier identifier = _client.Create();
        Assert.Multiple(() =>
        {
            Assert.That(_broker.ResolveRoute(identifier), Is.EqualTo(Errno.EINVAL));
            Assert.That(_client.Connect(identifier), Is.EqualTo(Errno.EINVAL));
            Assert.That(_client.Accept(identifier), Is.EqualTo(Errno.EINVAL));
            Assert.That(_client.Reject(identifier), Is.EqualTo(Errno.EINVAL));
            Assert.That(_broker.Establish(identifier), Is.EqualTo(Errno.EINVAL));
            Assert.That(_broker.Disconnect(identifier), Is.EqualTo(Errno.EINVAL));
            Assert.That(_broker.Notify(identifier, 4), Is.EqualTo(Errno.EINVAL));
            Assert.That(_client.Connect(_client.Resolved(Port), new string('x', VerbsProtocol.RequestBytes + 1)), Is.EqualTo(Errno.EINVAL));
        });
    }

    [Test]
    public void ANetworkWithoutAWayIsToldAsAnEvent()
    {
        CmIdentifier identifier = _client.Create();
        Assert.That(_broker.Resolve(identifier, default, CmEnd.At(Port), Errno.ENETUNREACH), Is.Zero);
        Assert.That(_client.Next(), Is.EqualTo("AddressError -101"));
        Assert.That(_broker.Resolve(identifier, CmEnd.At(0), CmEnd.At(Port), 0), Is.Zero);
        Assert.That(_client.Next(), Is.EqualTo("AddressResolved 0"));
    }

    [Test]
    public void WhoFetchesNothingGetsNoMore()
    {
        CmIdentifier identifier = _client.Create();
        int error = 0;
        for (int i = 0; i <= CmChannel.MostEvents && error == 0; i++) error = _broker.Resolve(identifier, default, CmEnd.At(Port), Errno.ENETUNREACH);
        Assert.That(error, Is.EqualTo(Errno.ENOMEM));
    }

    private (CmIdentifier Active, CmIdentifier Passive) Connected()
    {
        _ = _server.Listener(Port);
        CmIdentifier active = _client.Resolved(Port);
        _ = _client.Connect(active);
        _ = _server.Next(out CmEvent request);
        _ = _server.Accept(request.Request!);
        _ = _client.Next();
        _ = _broker.Establish(active);
        Assert.That(_server.Next(), Is.EqualTo("Established 0"));
        return (active, request.Request!);
    }

    private static string Text(in CmEvent happened) => Encoding.ASCII.GetString(happened.Data!).TrimEnd('\0');
}
