using System;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Pairing;

/// <summary>What the router makes of an entry of the connection tracking. Asking the kernel itself is the business of TranslatedAddressTests.</summary>
[TestFixture]
public sealed class ConnectionTrackingTests
{
    private static readonly InternetEndpoint Client = At(10, 77, 1, 1, 40000), Service = At(10, 96, 0, 1, 80), Server = At(10, 77, 2, 1, 8080), Node = At(192, 168, 77, 1, 50000);

    [Test]
    public void TheClientsTargetBecomesTheServer() => AssertChosen(new(Client, Service), new(Client, Service), new(Server, Client), new FourTuple(Client, Server));

    [Test]
    public void TheServerSeesWhatThereIs() => AssertChosen(new(Server, Client), new(Client, Service), new(Server, Client), new FourTuple(Server, Client));

    [Test]
    public void WhatIsNotTranslatedStays() => AssertChosen(new(Client, Server), new(Client, Server), new(Server, Client), new FourTuple(Client, Server));

    [Test]
    public void AMasqueradedClientIsSomebodyElse() => AssertChosen(new(Client, Service), new(Client, Service), new(Server, Node), null);

    [Test]
    public void ItsServerCannotKnowIt() => AssertChosen(new(Server, Node), new(Client, Service), new(Server, Node), null);

    [Test]
    public void AnAnswerAboutSomethingElseSaysNothing() => AssertChosen(new(Server, Service), new(Client, Service), new(Server, Node), new FourTuple(Server, Service));

    /// <summary>An entry as nf_conntrack_netlink writes it: CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, each with CTA_TUPLE_IP and CTA_TUPLE_PROTO; then CTA_ID.</summary>
    private const string Entry =
        "34000180" + "14000180" + "080001000A4D0101" + "080002000A600001" + "1C000280" + "0500010006000000" + "060002009C400000" + "0600030000500000" +
        "34000280" + "14000180" + "080001000A4D0201" + "080002000A4D0101" + "1C000280" + "0500010006000000" + "060002001F900000" + "060003009C400000" +
        "08000C0000000001";

    [Test]
    public void TuplesAreReadOutOfAnEntry()
    {
        byte[] entry = Convert.FromHexString(Entry);
        Assert.That(ConnectionTracking.TryRead(entry, 1, out FourTuple original), Is.True);
        Assert.That(original, Is.EqualTo(new FourTuple(Client, Service)));
        Assert.That(ConnectionTracking.TryRead(entry, 2, out FourTuple reply), Is.True);
        Assert.That(reply, Is.EqualTo(new FourTuple(Server, Client)));
        Assert.That(ConnectionTracking.TryRead(entry, 3, out _), Is.False);
    }

    [Test]
    public void NothingIsReadOutOfAnEntryThatIsCutOrSpoilt()
    {
        byte[] entry = Convert.FromHexString(Entry);
        for (int cut = 0; cut < 52; cut++) Assert.That(ConnectionTracking.TryRead(entry.AsSpan(0, cut), 1, out _), Is.False, $"{cut} bytes");
        Random random = new(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] spoilt = (byte[])entry.Clone();
            random.NextBytes(spoilt.AsSpan(random.Next(entry.Length - 4), 4));
            // Whatever it says: no exception.
            _ = ConnectionTracking.TryRead(spoilt, (ushort)random.Next(4), out _);
        }
    }

    private static void AssertChosen(FourTuple own, FourTuple original, FourTuple reply, FourTuple? expected)
    {
        FourTuple chosen = own;
        Assert.That(ConnectionTracking.TryChoose(ref chosen, original, reply) ? chosen : (FourTuple?)null, Is.EqualTo(expected));
    }

    private static InternetEndpoint At(byte a, byte b, byte c, byte d, ushort port) => new(InternetAddress.FromIPv4([a, b, c, d]), port);
}
