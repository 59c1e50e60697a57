using System;
using System.Linq;
using FreeFlow.Locations;
using FreeFlow.Locations.Identities;
using FreeFlow.Router.Policy;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Policy;

/// <summary>What a side of a rule speaks of.</summary>
public sealed class SelectorTests
{
    [TestCase("any", "Yes")]
    [TestCase("10.0.0.0/8", "Yes")]
    [TestCase("10.0.1.0/24", "No")]
    [TestCase("namespace=web", "Yes")]
    [TestCase("namespace=db", "No")]
    [TestCase("namespace!=db", "Yes")]
    [TestCase("namespace in (db, web)", "Yes")]
    [TestCase("namespace notin (db, web)", "No")]
    [TestCase("app=front", "Yes")]
    [TestCase("app == front", "Yes")]
    [TestCase("app = back", "No")]
    [TestCase("app!=front", "No")]
    [TestCase("app in (back)", "No")]
    [TestCase("app in (back,front)", "Yes")]
    [TestCase("app notin (back)", "Yes")]
    [TestCase("app", "Yes")]
    [TestCase("!app", "No")]
    [TestCase("! role", "Yes")]
    [TestCase("role", "No")]
    [TestCase("role!=x", "Yes", Description = "as in Kubernetes, a label that is missing is not that value")]
    [TestCase("role=", "No")]
    [TestCase("example.org/tier=gold", "Yes")]
    [TestCase("namespace=web,app=front", "Yes")]
    [TestCase("namespace=web,app=back", "No")]
    [TestCase("10.0.0.0/24, app in (front, back), namespace=web", "Yes")]
    [TestCase("10.0.1.0/24,app=front", "No")]
    public void ItSpeaksOfThoseThatMeetEveryRequirement(string text, string expected)
    {
        Identity identity = new("web", null, [new("app", "front"), new("example.org/tier", "gold")]);
        Assert.That(Parse(text).Of(Read("10.0.0.1"), identity), Is.EqualTo(Enum.Parse<Match>(expected)));
    }

    [TestCase("app=front", false, false, "Maybe")]
    [TestCase("app!=front", false, false, "Maybe")]
    [TestCase("!app", true, false, "Maybe", Description = "that labels are not known is not that there are none")]
    [TestCase("namespace=web", true, false, "Yes")]
    [TestCase("namespace=web,app=front", true, false, "Maybe")]
    [TestCase("namespace=db,app=front", true, false, "No")]
    [TestCase("namespace=web,app=front", false, true, "Maybe")]
    [TestCase("namespace=web,app=back", false, true, "No")]
    [TestCase("10.9.0.0/16,app=front", false, false, "No")]
    [TestCase("any", false, false, "Yes")]
    public void WhatIsNotKnownMayBe(string text, bool hasNamespace, bool hasLabels, string expected)
    {
        Identity identity = new(hasNamespace ? "web" : null, null, hasLabels ? [new("app", "front")] : null);
        Assert.That(Parse(text).Of(Read("10.0.0.1"), identity), Is.EqualTo(Enum.Parse<Match>(expected)));
        if (!hasNamespace && !hasLabels) Assert.That(Parse(text).Of(Read("10.0.0.1"), null), Is.EqualTo(Enum.Parse<Match>(expected)));
    }

    [TestCase("127.0.0.1")]
    [TestCase("::1")]
    [TestCase("fe80::1")]
    public void AnAddressInsideAContainerIsNobodysVirtualIP(string address)
    {
        Assert.That(new[] { "app=front", "!app", "namespace=web", "app!=x" }.Select(text => Parse(text).Of(Read(address), null)), Has.All.EqualTo(Match.No));
        Assert.That(Parse("any").Of(Read(address), null), Is.EqualTo(Match.Yes));
    }

    [TestCase("10.0.0.0/33", "10.0.0.0/33 is no network")]
    [TestCase("10.0.0.256", "10.0.0.256 is no network")]
    [TestCase("fd00::/200", "fd00::/200 is no network")]
    [TestCase("10.0.0.1,10.0.0.2", "10.0.0.2 is the second network")]
    [TestCase("app in (a", "'app in (a' is no selector")]
    [TestCase("app like (a)", "'app like (a)' is no selector")]
    [TestCase("app=a b", "'app=a b' is no selector")]
    [TestCase("=a", "'=a' is no selector")]
    [TestCase("app,", "'' is no selector")]
    [TestCase("!", "'!' is no selector")]
    [TestCase("app=(a)", "'app=(a)' is no selector")]
    public void MistakesAreSaid(string text, string message)
    {
        Assert.That(SelectorText.TryParse(text, out string problem), Is.Null);
        Assert.That(problem, Does.StartWith(message));
    }

    private static Selector Parse(string text) => SelectorText.TryParse(text, out string problem) ?? throw new FormatException(problem);

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
