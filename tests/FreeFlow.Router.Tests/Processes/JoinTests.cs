using System.Linq;
using System.Net;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What honest processes get.</summary>
public unsafe class JoinTests
{
    private RouterUnderTest _router = null!;

    [SetUp]
    public void SetUp() => _router = RouterUnderTest.Start("--ring-bytes", "8192");

    [TearDown]
    public void TearDown() => _router.Dispose();

    [Test]
    public void BothEndsGetTheSameSealedRingAndAnEndOfTheDoorbell()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router);
        client.Offer(3, pair.Client);
        Assert.That(client.HearsNothing());
        server.Offer(5, pair.Server);
        using Received first = client.Receive(), second = server.Receive();

        Assert.That((first.Type, first.Connection, first.Side, first.Capacity, first.Descriptors.Length), Is.EqualTo((MessageType.Join, 3u, 0u, 8192UL, 2)));
        Assert.That((second.Type, second.Connection, second.Side, second.Capacity, second.Descriptors.Length), Is.EqualTo((MessageType.Join, 5u, 1u, 8192UL, 2)));
        Libc.fstat(first.Descriptors[0], out FileStatus ring);
        Libc.fstat(second.Descriptors[0], out FileStatus other);
        Assert.That((ring.Device, ring.Inode, ring.Size), Is.EqualTo((other.Device, other.Inode, (long)RingLayout.TotalBytes(8192))));
        Assert.That(Libc.fcntl(first.Descriptors[0], Libc.F_GET_SEALS, 0), Is.EqualTo(SealedMemory.SizeSeals));

        Ring(first.Descriptors[1], 7);
        Assert.That((Heard(first.Descriptors[1]), Heard(second.Descriptors[1])), Is.EqualTo((0UL, 7UL)), "what the first rings, the second hears");
        Ring(second.Descriptors[1], 9);
        Assert.That((Heard(first.Descriptors[1]), Heard(second.Descriptors[1])), Is.EqualTo((9UL, 0UL)));

        foreach (uint side in (uint[])[0, 1])
        {
            RingBlockHeader header;
            Libc.pread(first.Descriptors[0], &header, (nuint)sizeof(RingBlockHeader), (long)RingLayout.WriterBlockOffset(side, 8192));
            Assert.That((header.Magic, header.Version, header.Capacity, header.ReaderWaiting, header.Tail, header.Handover), Is.EqualTo((RingLayout.Magic, RingLayout.Version, 8192UL, 1u, 0UL, 0u)));
        }
    }

    [Test]
    public void BothEndsMayBeInOneProcess()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(_router);
        shim.Offer(0, pair.Client);
        shim.Offer(1, pair.Server);
        using Received first = shim.Receive(), second = shim.Receive();
        Assert.That((first.Connection, first.Side, second.Connection, second.Side), Is.EqualTo((0u, 0u, 1u, 1u)));
    }

    [Test]
    public void WithDescriptorsShortConnectionsOfTheSameProcessesShareADoorbell()
    {
        using TcpPair first = TcpPair.Loopback(), second = TcpPair.Loopback(), third = TcpPair.Loopback(), foreign = TcpPair.Loopback();
        using FakeShim client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router), stranger = FakeShim.Greeted(_router);
        Assert.That(Joined(client, 1, first.Client, server, 11, first.Server, scarce: true), Is.EqualTo(((0u, 0u, 2), (0u, 0u, 2))), "the first has its own");
        Assert.That(Joined(client, 2, second.Client, server, 12, second.Server, scarce: true), Is.EqualTo(((2u, 5u, 1), (12u, 5u, 1))), "the second shares it");
        Assert.That(Joined(stranger, 3, foreign.Client, server, 13, foreign.Server, scarce: true), Is.EqualTo(((0u, 0u, 2), (0u, 0u, 2))), "another process never");
        client.Withdraw(1, generation: 5);
        Assert.That(client.HearsNothing());
        Assert.That(Joined(client, 4, third.Client, server, 14, third.Server, scarce: true), Is.EqualTo(((0u, 0u, 2), (0u, 0u, 2))), "nor that of one that is closed");
    }

    [Test]
    public void BothEndsInOneProcessShareTheTwoEndsOfADoorbell()
    {
        using TcpPair first = TcpPair.Loopback(), second = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(_router);
        Joined(shim, 0, first.Client, shim, 1, first.Server, scarce: true);
        Assert.That(Joined(shim, 2, second.Client, shim, 3, second.Server, scarce: true), Is.EqualTo(((1u, 5u, 1), (2u, 5u, 1))), "an end each");
    }

    [Test]
    public void ADoorbellHasAtMostSixteenConnectionsAndOnesInPlentyHaveTheirOwn()
    {
        using FakeShim client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router);
        uint[] mates = new uint[18];
        for (uint i = 0; i < mates.Length; i++)
        {
            using TcpPair pair = TcpPair.Loopback();
            mates[i] = Joined(client, i, pair.Client, server, i, pair.Server, scarce: i < 17).Item1.Mate;
        }
        Assert.That(mates, Is.EqualTo(new uint[] { 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 }));
    }

    [Test]
    public void AnIPv6ListenerJoinsItsIPv4Client()
    {
        using System.Net.Sockets.Socket listener = new(System.Net.Sockets.AddressFamily.InterNetworkV6, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { DualMode = true };
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        listener.Listen();
        using System.Net.Sockets.Socket client = TcpPair.ConnectTo(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port));
        using System.Net.Sockets.Socket accepted = listener.Accept();
        AssertJoined(accepted, client, "the mapped end waits and is looked up");
        AssertJoined(client, accepted, "the mapped end comes second");
    }

    [Test]
    public void IPv6Joins()
    {
        using TcpPair pair = TcpPair.Connect(new IPEndPoint(IPAddress.IPv6Loopback, 0), new IPEndPoint(IPAddress.IPv6Loopback, 0));
        AssertJoined(pair.Client, pair.Server, "IPv6 loopback");
    }

    [Test]
    public void HostNamespacesJoinAcrossAVethPair()
    {
        using VictimNetwork network = new();
        using TcpPair pair = network.Connect();
        AssertJoined(pair.Client, pair.Server, "two containers");
        Assert.That(_router.Process.Output, Does.Not.Contain("refused"));
    }

    [Test]
    public void ANamespaceIsNotKeptAliveOnceItsSessionsEnd()
    {
        int before;
        using (VictimNetwork network = new())
        {
            using FakeShim idle = FakeShim.Greeted(_router);
            before = _router.Descriptors;
            using TcpPair pair = network.Connect();
            AssertJoined(pair.Client, pair.Server, "two containers");
            Assert.That(idle.HearsNothing());
            Assert.That(_router.Descriptors, Is.EqualTo(before), "sessions, families and the sockets inside the namespaces are closed again");
        }
    }

    [Test]
    public void EveryMessageRaisesTheMailbox()
    {
        using FakeShim shim = FakeShim.Greeted(_router, slot: 9);
        Assert.That(() => shim.Family.Mailbox(9), Is.EqualTo(1u).After(1000, 10), "raised after the message is there");
        shim.OfferDescriptor(0, shim.Family.Memory);
        using Received refusal = shim.Receive();
        Assert.That(() => shim.Family.Mailbox(9), Is.EqualTo(2u).After(1000, 10));
        Assert.That(shim.Family.Mailbox(0), Is.Zero);
    }

    [Test]
    public void AWithdrawnEndJoinsNobodyEvenIfASiblingWithdrewIt()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim parent = FakeShim.Greeted(_router), child = FakeShim.Greeted(_router, family: parent.Family, slot: 1), peer = FakeShim.Greeted(_router);
        parent.Offer(0, pair.Client);
        Assert.That(parent.HearsNothing());
        child.Withdraw(0);
        Assert.That(child.HearsNothing());
        peer.Offer(0, pair.Server);
        Assert.That(peer.HearsNothing());
    }

    [Test]
    public void AnEndWhoseRecordMovedOnJoinsNobody()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim client = FakeShim.Greeted(_router), server = FakeShim.Greeted(_router);
        client.Offer(4, pair.Client);
        Assert.That(client.HearsNothing());
        client.Family.Record(4)->Generation++;
        server.Offer(0, pair.Server);
        Assert.That(server.HearsNothing() && client.HearsNothing());
    }

    [Test]
    public void TheRouterHoldsNothingOfAJoinedConnection()
    {
        using TcpPair warm = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(_router);
        Assert.That(shim.HearsNothing());
        int before = _router.Descriptors;
        TcpPair[] pairs = Enumerable.Range(0, 20).Select(_ => TcpPair.Loopback()).ToArray();
        for (uint i = 0; i < pairs.Length; i++)
        {
            shim.Offer(2 * i, pairs[i].Client);
            shim.Offer((2 * i) + 1, pairs[i].Server);
            shim.Receive().Dispose();
            shim.Receive().Dispose();
        }
        Assert.That(_router.Descriptors, Is.EqualTo(before));
        foreach (TcpPair pair in pairs) pair.Dispose();
    }

    /// <summary>Offers both ends and says what each Join holds: mate, its generation, number of descriptors.</summary>
    private static ((uint Mate, uint Generation, int Descriptors), (uint Mate, uint Generation, int Descriptors)) Joined(
        FakeShim one, uint first, System.Net.Sockets.Socket waiting, FakeShim other, uint second, System.Net.Sockets.Socket coming, bool scarce)
    {
        const uint generation = 5;
        one.Family.Record(first)->Generation = other.Family.Record(second)->Generation = generation;
        one.Offer(first, waiting, generation, scarce);
        Assert.That(one.HearsNothing());
        other.Offer(second, coming, generation, scarce);
        using Received here = one.Receive(), there = other.Receive();
        Assert.That((here.Type, there.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), $"{here.Reason} {there.Reason}");
        return ((here.Mate, here.MateGeneration, here.Descriptors.Length), (there.Mate, there.MateGeneration, there.Descriptors.Length));
    }

    private void AssertJoined(System.Net.Sockets.Socket waiting, System.Net.Sockets.Socket coming, string what)
    {
        using FakeShim one = FakeShim.Greeted(_router), two = FakeShim.Greeted(_router);
        one.Offer(0, waiting);
        Assert.That(one.HearsNothing());
        two.Offer(0, coming);
        using Received first = one.Receive(), second = two.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), $"{what}: {first.Reason} {second.Reason}");
    }

    private static void Ring(int doorbell, ulong value) => Libc.write(doorbell, &value, sizeof(ulong));

    private static ulong Heard(int doorbell)
    {
        ulong value;
        return Libc.read(doorbell, &value, sizeof(ulong)) == sizeof(ulong) ? value : 0;
    }
}
