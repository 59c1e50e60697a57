using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Contract;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A process that claims someone else's connection gets nothing, and its victims lose nothing.</summary>
public class AttackTests
{
    private RouterUnderTest _router = null!;

    [SetUp]
    public void SetUp() => _router = RouterUnderTest.Start();

    [TearDown]
    public void TearDown() => _router.Dispose();

    [Test]
    public void OnlyEstablishedTcpSocketsCount()
    {
        using FakeShim attacker = FakeShim.Greeted(_router);
        using Socket idle = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), datagram = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp),
            local = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), listener = TcpPair.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using TcpPair halfClosed = TcpPair.Loopback();
        datagram.Connect(IPAddress.Loopback, 53);
        halfClosed.Client.Shutdown(SocketShutdown.Send);
        foreach (Socket socket in (Socket[])[idle, datagram, local, listener, halfClosed.Client])
        {
            attacker.Offer(0, socket);
            using Received answer = attacker.Receive();
            Assert.That((answer.Type, answer.Reason), Is.EqualTo((MessageType.Refuse, Reason.NotEstablished)), $"{socket.SocketType} {socket.ProtocolType}");
        }
        attacker.OfferDescriptor(0, attacker.Family.Memory);
        using Received last = attacker.Receive();
        Assert.That(last.Reason, Is.EqualTo(Reason.NotEstablished), "a file");
    }

    [Test]
    public void AThirdPartyWithConnectionsToTheSameServerGetsNothing()
    {
        using Socket listener = TcpPair.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using TcpPair victim = TcpPair.Connect(new IPEndPoint(IPAddress.Loopback, 0), listener), own = TcpPair.Connect(new IPEndPoint(IPAddress.Loopback, 0), listener);
        using FakeShim attacker = FakeShim.Greeted(_router), client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router);
        client.Offer(0, victim.Client);
        Assert.That(client.HearsNothing());
        attacker.Offer(0, own.Client); // its own connection, under the numbers of the victim's
        Assert.That(attacker.HearsNothing());
        server.Offer(0, victim.Server);
        using Received first = client.Receive(), second = server.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
        Assert.That(attacker.HearsNothing());
    }

    [Test]
    public void AnUnprivilegedNamespaceThatMirrorsTheVictimIsRefused([Values] bool attackerIsFirst)
    {
        using VictimNetwork network = new();
        using AttackerNetwork forged = new();
        using TcpPair victim = network.Connect();
        using TcpPair mirror = Place.Run(forged.Path, Place.Nobody, () => TcpPair.Connect((IPEndPoint)victim.Client.LocalEndPoint!, (IPEndPoint)victim.Server.LocalEndPoint!));
        Assert.That(mirror.Server.RemoteEndPoint, Is.EqualTo(victim.Server.RemoteEndPoint), "the forged end has the very addresses");
        using FakeShim attacker = Place.Run(null, Place.Nobody, () => FakeShim.Greeted(_router, "attacker"));
        using FakeShim client = FakeShim.Greeted(_router, "client"), server = FakeShim.Greeted(_router, "server");

        if (attackerIsFirst)
        {
            attacker.Offer(0, mirror.Server);
            Assert.That(attacker.HearsNothing());
            client.Offer(0, victim.Client);
        }
        else
        {
            client.Offer(0, victim.Client);
            Assert.That(client.HearsNothing());
            attacker.Offer(0, mirror.Server);
        }
        using Received refusal = attacker.Receive();
        Assert.That((refusal.Type, refusal.Reason), Is.EqualTo((MessageType.Refuse, Reason.UnprovenNamespace)));
        server.Offer(0, victim.Server);
        using Received first = client.Receive(), second = server.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), "the true pair");
    }

    [Test]
    public void ASecondContainerWithTheSameAddressTakesNothingAway()
    {
        using VictimNetwork network = new(), twin = new();
        using TcpPair victim = network.Connect(), other = twin.Connect();
        using FakeShim client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router), stranger = FakeShim.Greeted(_router);
        stranger.Offer(0, other.Server);
        Assert.That(stranger.HearsNothing());
        client.Offer(0, victim.Client);
        server.Offer(0, victim.Server);
        using Received first = client.Receive(), second = server.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
    }

    /// <summary>
    /// A container's root with CAP_NET_ADMIN, in a namespace that is the host's, has both victims' addresses on its own lo and the very same four-tuple there, and shows either end of it, before or
    /// after the true end, or when the true one has not been shown at all.
    /// </summary>
    [Test]
    public void AContainerThatMirrorsTheVictimsGetsNothing([Values] bool showsClient, [Values] bool isFirst, [Values] bool six)
    {
        using VictimNetwork network = new();
        using ForgedNetwork forged = new();
        using TcpPair victim = network.Connect(six);
        using TcpPair mirror = Place.Run(forged.Path, null, () => TcpPair.Connect((IPEndPoint)victim.Client.LocalEndPoint!, (IPEndPoint)victim.Server.LocalEndPoint!));
        Assert.That((mirror.Client.LocalEndPoint, mirror.Client.RemoteEndPoint), Is.EqualTo((victim.Client.LocalEndPoint, victim.Client.RemoteEndPoint)), "the forged end has the very addresses");
        using FakeShim attacker = FakeShim.Greeted(_router, "attacker"), client = FakeShim.Greeted(_router, "client"), server = FakeShim.Greeted(_router, "server");
        Socket forgedEnd = showsClient ? mirror.Client : mirror.Server;
        (FakeShim present, Socket presentEnd, FakeShim late, Socket lateEnd) = showsClient ? (server, victim.Server, client, victim.Client) : (client, victim.Client, server, victim.Server);

        if (isFirst) attacker.Offer(0, forgedEnd);
        Assert.That(attacker.HearsNothing());
        present.Offer(0, presentEnd);
        Assert.That(present.HearsNothing(), "it waits for its true other end");
        if (!isFirst) attacker.Offer(0, forgedEnd);
        Assert.That(attacker.HearsNothing());
        Assert.That(present.HearsNothing());
        late.Offer(0, lateEnd);
        using Received first = present.Receive(), second = late.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), "the true pair");
        Assert.That(attacker.HearsNothing());
    }

    /// <summary>The kernel lets a container with CAP_NET_ADMIN set the sequence numbers of its own sockets (TCP_REPAIR): it may guess, but not often.</summary>
    [Test]
    public void GuessingEndsWithTheKernelPath()
    {
        using VictimNetwork network = new();
        using ForgedNetwork forged = new();
        using TcpPair victim = network.Connect();
        using FakeShim attacker = FakeShim.Greeted(_router, "attacker"), server = FakeShim.Greeted(_router, "server");
        server.Offer(0, victim.Server);
        for (int guess = 0; guess < 3; guess++)
        {
            Assert.That(server.HearsNothing());
            using TcpPair mirror = Place.Run(forged.Path, null, () => TcpPair.Connect((IPEndPoint)victim.Client.LocalEndPoint!, (IPEndPoint)victim.Server.LocalEndPoint!));
            attacker.Offer(0, mirror.Client);
            Assert.That(attacker.HearsNothing());
            mirror.Client.LingerState = new LingerOption(true, 0); // no TIME_WAIT keeps the addresses
        }
        using Received answer = server.Receive();
        Assert.That((answer.Type, answer.Reason), Is.EqualTo((MessageType.Refuse, Reason.AmbiguousAddress)));
    }

    /// <summary>Data in both directions, in flight or not, an end that has read nothing, either end first: the numbers are those of the beginning.</summary>
    [Test]
    public void TrafficBeforeTheJoinChangesNothing([Values] bool six, [Values] bool clientIsFirst, [Values(0, 1, 100_000, 3_000_000)] int bytes)
    {
        using VictimNetwork network = new();
        using TcpPair pair = network.Connect(six);
        Fill(pair.Client, bytes);
        Fill(pair.Server, bytes / 2);
        using FakeShim client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router);
        if (clientIsFirst) client.Offer(0, pair.Client);
        server.Offer(0, pair.Server);
        if (!clientIsFirst) client.Offer(0, pair.Client);
        using Received first = client.Receive(), second = server.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
    }

    /// <summary>As much as the connection takes, whether the other end reads or not.</summary>
    private static void Fill(Socket end, int bytes)
    {
        end.Blocking = false;
        byte[] some = new byte[65536];
        for (int left = bytes; left > 0;)
        {
            int sent = end.Send(some.AsSpan(0, Math.Min(left, some.Length)), SocketFlags.None, out SocketError error);
            if (error != SocketError.Success) return;
            left -= sent;
        }
    }

    [Test]
    public void AClosedEndWhoseAddressesAVictimReusesGetsNothing()
    {
        using Socket listener = TcpPair.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using FakeShim attacker = FakeShim.Greeted(_router), client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router);
        TcpPair old = TcpPair.Connect(new IPEndPoint(IPAddress.Loopback, 0), listener);
        IPEndPoint reused = (IPEndPoint)old.Client.LocalEndPoint!;
        attacker.Offer(0, old.Client);
        Assert.That(attacker.HearsNothing());
        old.Client.LingerState = new LingerOption(true, 0); // reset at once, so that no TIME_WAIT keeps the addresses
        old.Dispose();

        using TcpPair victim = TcpPair.Connect(reused, listener);
        server.Offer(0, victim.Server);
        using Received answer = attacker.Receive();
        Assert.That((answer.Type, answer.Reason), Is.EqualTo((MessageType.Refuse, Reason.PeerGone)));
        Assert.That(server.HearsNothing(), "it waits for its true other end");
        client.Offer(0, victim.Client);
        using Received first = server.Receive(), second = client.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
    }

    [Test]
    public void LimitsAreKeptPerUserAndReleased()
    {
        using RouterUnderTest router = RouterUnderTest.Start("--max-connections-per-user", "2", "--max-sessions-per-user", "3", "--max-ring-bytes-per-user", "100000000");
        using TcpPair pair = TcpPair.Loopback(), more = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(router);
        shim.Offer(0, pair.Client);
        shim.Offer(1, pair.Server);
        shim.Receive().Dispose();
        shim.Receive().Dispose();
        System.Text.Json.JsonElement user = router.Status().GetProperty("users").EnumerateArray().Single();
        Assert.That((user.GetProperty("sessions").GetInt32(), user.GetProperty("connections").GetInt32(), user.GetProperty("max_connections").GetInt32(), user.GetProperty("rings").GetInt32()),
            Is.EqualTo((2, 2, 2, 2)), "the shim and who asks");
        shim.Offer(2, more.Client);
        using Received refusal = shim.Receive();
        Assert.That((refusal.Connection, refusal.Reason), Is.EqualTo((2u, Reason.RouterLimit)));
        using FakeShim stranger = Place.Run(null, Place.Nobody, () => FakeShim.Greeted(router));
        stranger.Offer(0, more.Server);
        Assert.That(stranger.HearsNothing(), "another user has limits of their own");
        shim.Withdraw(0);
        shim.Offer(2, more.Client);
        using Received join = shim.Receive();
        Assert.That(join.Type, Is.EqualTo(MessageType.Join));

        using FakeShim second = FakeShim.Greeted(router), third = FakeShim.Greeted(router), fourth = new(router);
        Assert.That(fourth.Receive().IsClosed);
    }

    [TestCase("--max-ring-bytes-per-user", "100000")]
    [TestCase("--max-rings-per-user", "0")]
    public void RingsAndTheirMemoryAreLimited(string option, string most)
    {
        using RouterUnderTest router = RouterUnderTest.Start(option, most);
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(router);
        shim.Offer(0, pair.Client);
        shim.Offer(1, pair.Server);
        using Received first = shim.Receive(), second = shim.Receive();
        Assert.That((first.Reason, second.Reason), Is.EqualTo((Reason.RouterLimit, Reason.RouterLimit)));
    }

    /// <summary>An end says that it had a large mirrored ring, which it never had: the router would make two of them, and touch their memory.</summary>
    [Test]
    public void APlaceThatWasNeverGivenIsNotBelieved([Values(64u << 20, 2u << 20)] uint place)
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(_router);
        shim.Offer(0, pair.Client, place: place);
        shim.Offer(1, pair.Server, place: place);
        using Received first = shim.Receive(), second = shim.Receive();
        Assert.That((first.Type, first.Side, first.Capacity, second.Side, second.Capacity), Is.EqualTo((MessageType.Join, 0u, 1ul << 20, 1u, 1ul << 20)), "one ring for both");
    }

    /// <summary>A program that closes connections and keeps the memory of their rings gets no more of them, until it lets go. Its neighbours lose nothing by it.</summary>
    [Test]
    public void RingsThatAreKeptBehindTheirEndAreCharged([Values] bool withANeighbour)
    {
        const int mostKept = 4;
        using RouterUnderTest router = RouterUnderTest.Start("--max-rings-per-user", (2 * mostKept).ToString(System.Globalization.CultureInfo.InvariantCulture));
        using FakeShim keeper = Place.Run(null, Place.Nobody, () => FakeShim.Greeted(router)), neighbour = FakeShim.Greeted(router);
        FakeShim other = withANeighbour ? neighbour : keeper;
        System.Collections.Generic.List<Received> kept = [];
        for (uint i = 0; i < mostKept; i++)
        {
            using TcpPair pair = TcpPair.Loopback();
            Assert.That(Offer(keeper, other, pair, kept), Is.EqualTo((Reason.None, Reason.None)));
            keeper.Withdraw(0);
            other.Withdraw(1);
        }
        Assert.That(() => KeptBytes(router, Place.Nobody), Is.GreaterThanOrEqualTo(mostKept * (2L << 20)).After(10_000, 20));
        using TcpPair one = TcpPair.Loopback(), two = TcpPair.Loopback();
        Assert.That(Offer(keeper, other, one, kept), Is.EqualTo((Reason.RouterLimit, Reason.RouterLimit)));
        using FakeShim third = FakeShim.Greeted(router);
        Assert.That(Offer(neighbour, third, two, kept), Is.EqualTo((Reason.None, Reason.None)), "others' connections");
        neighbour.Withdraw(0);
        third.Withdraw(1);
        foreach (Received ring in kept) ring.Dispose();
        Assert.That(() => KeptBytes(router, Place.Nobody), Is.Zero.After(15_000, 20));
        Assert.That(Offer(keeper, other, one, kept), Is.EqualTo((Reason.None, Reason.None)), "what is let go of is free again");
        foreach (Received ring in kept) ring.Dispose();
    }

    /// <summary>Why the two ends get no ring; nothing if they do.</summary>
    private static (Reason, Reason) Offer(FakeShim first, FakeShim second, TcpPair pair, System.Collections.Generic.List<Received> kept)
    {
        first.Offer(0, pair.Client);
        second.Offer(1, pair.Server);
        kept.AddRange([first.Receive(), second.Receive()]);
        return (kept[^2].Reason, kept[^1].Reason);
    }

    private static long KeptBytes(RouterUnderTest router, uint user) =>
        router.Status().GetProperty("users").EnumerateArray().Single(one => one.GetProperty("uid").GetUInt32() == user).GetProperty("kept_ring_bytes").GetInt64();
}
