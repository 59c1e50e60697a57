using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LinkClaimsTests
{
    private static readonly InternetAddress s_low = InternetAddress.FromIPv4([10, 0, 0, 1]), s_high = InternetAddress.FromIPv4([10, 0, 0, 2]);

    private readonly LinkClaims _low = new(s_low), _high = new(s_high);

    [Test]
    public void OfTwoCallsTheLowerAddressesStands()
    {
        Assert.That((_low.TryCall(s_high), _high.TryCall(s_low)), Is.EqualTo((true, true)));
        Assert.That((_low.TryAccept(s_high), _high.TryAccept(s_low)), Is.EqualTo((false, true)));
        _high.End(s_low, called: true);
        Assert.That(_low.TryAccept(s_high), Is.False, "as long as the link is up");
        _low.End(s_high, called: true);
        Assert.That(_low.TryAccept(s_high), Is.True, "and no longer");
    }

    [Test]
    public void NobodyCallsWhoseCallIsAnswered()
    {
        Assert.That((_high.TryCall(s_low), _low.TryAccept(s_high)), Is.EqualTo((true, true)));
        Assert.That(_low.TryCall(s_high), Is.False);
    }

    [Test]
    public void WhoCallsOnceMoreHasLostTheFirstLink()
    {
        Assert.That((_low.TryAccept(s_high), _low.TryAccept(s_high)), Is.EqualTo((true, true)));
        _low.End(s_high, called: false);
        Assert.That(_low.TryCall(s_high), Is.False, "the newer link is up");
        _low.End(s_high, called: false);
        Assert.That(_low.TryCall(s_high), Is.True);
    }
}
