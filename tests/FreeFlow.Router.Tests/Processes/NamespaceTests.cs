using System.Collections.Generic;
using System.Net;
using FreeFlow.Contract;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What the router keeps of the network namespaces whose sockets it was shown: it holds them alive for nobody.</summary>
[NonParallelizable]
public class NamespaceTests
{
    private RouterUnderTest _router = null!;

    [SetUp]
    public void SetUp() => _router = RouterUnderTest.Start();

    [TearDown]
    public void TearDown() => _router.Dispose();

    /// <summary>The kernel of that namespace gives the end another address of its own: it cannot be paired, and the namespace is let go of.</summary>
    [Test]
    public void ANamespaceWhoseEndsAreTranslatedIsNotKept()
    {
        const string masquerade = "ip addr add 10.99.1.1/32 dev lo && ip addr add 10.99.1.2/32 dev lo && ip addr add 10.99.1.3/32 dev lo"
            + " && nft 'add table ip t' && nft 'add chain ip t post { type nat hook postrouting priority 100 ; }' && nft 'add rule ip t post ip saddr 10.99.1.1 snat to 10.99.1.3'";
        using FakeShim shim = FakeShim.Greeted(_router);
        Assert.That(shim.HearsNothing());
        int before = _router.Descriptors;
        for (int i = 0; i < 5; i++)
        {
            using IsolatedNetwork network = new(masquerade);
            using TcpPair pair = Place.Run(network.Path, null, () => TcpPair.Connect(new IPEndPoint(IPAddress.Parse("10.99.1.1"), 0), new IPEndPoint(IPAddress.Parse("10.99.1.2"), 0)));
            shim.Offer((uint)i, pair.Client);
            using Received answer = shim.Receive();
            if (answer.Reason == Reason.NoWitness) Assert.Ignore("this kernel tells no translations");
            Assert.That((answer.Type, answer.Reason), Is.EqualTo((MessageType.Refuse, Reason.Translated)));
        }
        Assert.That(() => _router.Descriptors, Is.EqualTo(before).After(5000, 20));
    }

    /// <summary>A session may show so many namespaces: those beyond are refused, and not kept either.</summary>
    [Test]
    public void ANamespaceBeyondTheLimitIsNotKept()
    {
        const int limit = 16, shown = 24;
        using FakeShim shim = FakeShim.Greeted(_router);
        Assert.That(shim.HearsNothing());
        int before = _router.Descriptors, refused = 0;
        List<TcpPair> pairs = [];
        for (uint i = 0; i < shown; i++)
        {
            using IsolatedNetwork network = new();
            pairs.Add(Place.Run(network.Path, null, TcpPair.Loopback));
            shim.Offer(2 * i, pairs[^1].Client);
            shim.Offer((2 * i) + 1, pairs[^1].Server);
            using Received first = shim.Receive(), second = shim.Receive();
            if (first.Reason == Reason.RouterLimit && second.Reason == Reason.RouterLimit) refused++;
            else Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
        }
        foreach (TcpPair pair in pairs) pair.Dispose();
        Assert.That(refused, Is.EqualTo(shown - limit));
        Assert.That(() => _router.Descriptors, Is.EqualTo(before + (2 * limit)).After(5000, 20), "two for each namespace that counts");
        shim.Dispose();
        Assert.That(() => _router.Descriptors, Is.EqualTo(before - 2).After(5000, 20), "nor anything behind the session: its socket and its family table are gone, too");
    }
}
