using System;
using System.Net;
using FreeFlow.Locations;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Sessions;
using NSubstitute;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What a router tells another one about ends that are shown here.</summary>
public sealed class RemoteOfferTests
{
    private const int Shown = 10;

    private static readonly InternetAddress s_there = InternetAddress.FromIPv4([192, 0, 2, 2]);

    private CountingLink _link = null!;
    private RemoteBroker _broker = null!;
    private ILocations _locations = null!;

    [SetUp]
    public void SetUp()
    {
        _link = new CountingLink(s_there);
        IFabric fabric = Substitute.For<IFabric>();
        fabric.LinkTo(default, 0).ReturnsForAnyArgs(_link);
        fabric.Find(default).ReturnsForAnyArgs(_link);
        _locations = Substitute.For<ILocations>();
        _locations.Find(default, out _).ReturnsForAnyArgs(call =>
        {
            call[1] = new Host(new Address(s_there.Value), null, null);
            return LocationAnswer.Found;
        });
        IRingGiver giver = Substitute.For<IRingGiver>();
        giver.Decide(default!, default).ReturnsForAnyArgs(Verdict.Allowed);
        InternetAddress here = InternetAddress.FromIPv4([192, 0, 2, 1]);
        _broker = new RemoteBroker(fabric, _locations, here, new PairingTable(Substitute.For<IKernelWitness>()), giver, new Log(false), work => work());
    }

    [TearDown]
    public void TearDown() => _locations.DisposeAsync();

    /// <summary>A program that shows and withdraws ends faster than the other router hears of them must not fill the link's queue: a full one ends the link with everybody's streams.</summary>
    [TestCase(false, Shown)]
    [TestCase(true, 0)]
    public void ACrowdedLinkIsToldOfNoMoreEnds(bool crowded, int told)
    {
        _link.IsCrowded = crowded;
        for (int i = 0; i < Shown; i++)
        {
            ConnectionEnd end = End(i);
            _broker.Waits(end);
            _broker.Forget(end);
        }
        Assert.That((_link.Offers, _link.Withdrawals), Is.EqualTo((told, told)));
    }

    private static ConnectionEnd End(int number) => new(Substitute.For<IConnectionOwner>(), (uint)number, 0, new SocketFacts
    {
        Addresses = new FourTuple(At($"10.0.0.1:{40000 + number}"), At("10.0.0.2:6379")),
        Cookie = 100 + (ulong)number,
        NamespaceCookie = 1,
        Owner = NamespaceOwner.Host,
        Sequence = default(InitialSequence),
    });

    private static InternetEndpoint At(string text)
    {
        IPEndPoint point = IPEndPoint.Parse(text);
        return new InternetEndpoint(InternetAddress.FromIPv4(point.Address.GetAddressBytes()), (ushort)point.Port);
    }
}
