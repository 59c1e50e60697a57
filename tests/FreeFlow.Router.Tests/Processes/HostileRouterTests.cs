using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Contract;
using FreeFlow.Native;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Tests.Fabric;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>
/// Two honest routers and one that is let in and lies: frames of every type, possible and impossible, in any order, about its own streams and others', and many at once. It may do what it likes to connections of
/// its own host; those between the honest ones go on, and new ones are joined.
/// </summary>
[NonParallelizable]
public sealed unsafe class HostileRouterTests
{
    private const string First = "192.0.2.1", Second = "192.0.2.2", Third = "192.0.2.7", OfTheThird = "10.98.7.77";
    private const int Rounds = 20, FramesOfARound = 300, Port = 4799, ToleratedKib = 32768;

    private readonly string _locations = Path.Combine(Path.GetTempPath(), $"freeflow-hostile-router-{Environment.ProcessId}");

    private Certificates _certificates = null!;

    [SetUp]
    public void SetUp() => _certificates = new Certificates();

    [TearDown]
    public void TearDown()
    {
        _certificates.Dispose();
        File.Delete(_locations);
    }

    /// <summary>With a certificate of the same authority as the others', or where none is asked for.</summary>
    [TestCase(1, true)]
    [TestCase(2, true)]
    [TestCase(1, false)]
    public void ARouterThatLiesHarmsItsOwnHostsConnectionsAlone(int seed, bool isSealed)
    {
        File.WriteAllText(_locations, $"{VictimNetwork.AddressA} {First}\n{VictimNetwork.AddressB} {Second}\n{OfTheThird} {Third}\n");
        using IsolatedNetwork between = new($"ip addr add {First}/32 dev lo && ip addr add {Second}/32 dev lo && ip addr add {Third}/32 dev lo");
        using VictimNetwork containers = new();
        using (TestProcess added = new("nsenter", $"--net={containers.PathB}", "ip", "addr", "add", $"{OfTheThird}/24", "dev", "v0")) Assert.That(added.WaitForExit(), Is.Zero, added.Output);
        using RouterUnderTest first = Start(between, First, isSealed), second = Start(between, Second, isSealed);
        using FakeShim client = FakeShim.Greeted(first, "client"), server = FakeShim.Greeted(second, "server"), prey = FakeShim.Greeted(first, "prey");
        using TcpPair pair = containers.Connect();
        (Received here, Received there) = Join(client, server, pair, 0);
        using Socket listener = Place.Run(containers.PathB, null, () => TcpPair.Listen(new IPEndPoint(IPAddress.Parse(OfTheThird), 0)));
        long memory = MemoryTests.AnonymousKib(first);
        int descriptors = 0, streams = 0, frames = 0;
        Random random = new(seed);
        for (uint round = 0; round < Rounds; round++)
        {
            using TcpPair connection = Place.Run(containers.PathA, null, () => TcpPair.Connect(new IPEndPoint(VictimNetwork.AddressA, 0), listener));
            prey.Offer(round, connection.Client);
            using (HostileRouter liar = new(Call(between, isSealed), random, pair))
            {
                for (int frame = 0; frame < FramesOfARound && liar.SendOne(); frame++) { }
                streams += liar.Streams;
                frames += liar.Sent;
            }
            prey.Withdraw(round);
            // Whatever it was told.
            while (!prey.HearsNothing()) { }

            using TcpPair another = containers.Connect();
            (Received one, Received other) = Join(client, server, another, 1 + round);
            client.Withdraw(1 + round);
            server.Withdraw(1 + round);
            one.Dispose();
            other.Dispose();
            Assert.That((IsOpen(here), IsOpen(there)), Is.EqualTo((true, true)), $"the connection between the honest ones, round {round}");
            if (round == 0) descriptors = first.Descriptors;
        }
        TestContext.Out.WriteLine($"{frames} frames or floods, {streams} streams");
        Assert.That((frames > 10 * Rounds, streams > 0), Is.EqualTo((true, true)), $"it got as far as {frames} frames and {streams} streams");
        Assert.That(first.Status().GetProperty("router").GetProperty("faults").GetInt64(), Is.Zero, first.Process.Output);
        Assert.That(() => first.Descriptors, Is.LessThanOrEqualTo(descriptors).After(10_000, 50), "descriptors return to where they were");
        Assert.That(() => MemoryTests.AnonymousKib(first), Is.LessThan(memory + ToleratedKib).After(10_000, 100), "KiB");
        here.Dispose();
        there.Dispose();
    }

    private RouterUnderTest Start(IsolatedNetwork between, string host, bool isSealed)
    {
        FabricOptions own = _certificates.Options(host, Port);
        string[] trust = isSealed ? ["--fabric-ca", own.AuthorityPath!, "--fabric-cert", own.CertificatePath!, "--fabric-key", own.KeyPath!] : ["--insecure-fabric"];
        return RouterUnderTest.StartIn(between.Path, ["--locations", $"file:{_locations}", "--host", host, "--fabric-port", $"{Port}", .. trust]);
    }

    /// <summary>As the third host's router would, by its own handshake.</summary>
    private IByteChannel Call(IsolatedNetwork between, bool isSealed)
    {
        FabricOptions options = isSealed ? _certificates.Options(Third, Port) : new FabricOptions { Host = TestRouter.Address(Third), Insecure = true };
        Socket socket = Place.Run(between.Path, null, () => TcpPair.ConnectTo(new IPEndPoint(IPAddress.Parse(Third), 0), new IPEndPoint(IPAddress.Parse(First), Port)));
        IByteChannel? channel = new Handshake(options).TryShake(socket, TestRouter.Address(First), new LinkClaims(TestRouter.Address(Third)), out _, out string problem);
        return channel ?? throw new InvalidOperationException($"not let in: {problem}");
    }

    private static (Received, Received) Join(FakeShim client, FakeShim server, TcpPair pair, uint connection)
    {
        client.Offer(connection, pair.Client);
        server.Offer(connection, pair.Server);
        Received first = client.Receive(), second = server.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), $"connection {connection} of the honest ones");
        return (first, second);
    }

    /// <summary>The router's end of the doorbell is.</summary>
    private static bool IsOpen(Received join)
    {
        PollDescriptor look = new() { Descriptor = join.Descriptors[1] };
        return Libc.poll(&look, 1, 0) >= 0 && (look.Returned & PollDescriptor.POLLHUP) == 0;
    }
}
