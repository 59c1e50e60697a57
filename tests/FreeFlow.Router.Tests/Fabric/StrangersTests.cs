using System.Linq;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

public sealed class StrangersTests
{
    [Test]
    public void OneAddressDoesNotKeepTheOthersOut()
    {
        Strangers strangers = new();
        Assert.That(Enumerable.Range(0, 10).Count(_ => strangers.TryEnter(Host(1))), Is.EqualTo(8));
        Assert.That(strangers.TryEnter(Host(2)), Is.True);
        strangers.Leave(Host(1));
        Assert.That((strangers.TryEnter(Host(1)), strangers.TryEnter(Host(1))), Is.EqualTo((true, false)));
    }

    [Test]
    public void ANetworkOfIPv6CountsAsOne()
    {
        Strangers strangers = new();
        Assert.That(Enumerable.Range(0, 10).Count(i => strangers.TryEnter(InternetAddress.FromIPv6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)i]))), Is.EqualTo(8));
        Assert.That(strangers.TryEnter(InternetAddress.FromIPv6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])), Is.True);
    }

    [Test]
    public void AllTogetherAreNotMoreThan64()
    {
        Strangers strangers = new();
        Assert.That(Enumerable.Range(0, 100).Count(i => strangers.TryEnter(Host((byte)i))), Is.EqualTo(64));
        for (int i = 0; i < 64; i++) strangers.Leave(Host((byte)i));
        Assert.That(strangers.TryEnter(Host(99)), Is.True);
    }

    private static InternetAddress Host(byte last) => InternetAddress.FromIPv4([10, 0, 0, last]);
}
