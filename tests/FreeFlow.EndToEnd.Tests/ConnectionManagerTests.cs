using System;
using System.Collections.Generic;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Unmodified programs that find each other by rdma_cm (rdmacm-utils, perftest with -R), over Debian's own librdmacm, in two containers without a device. Each case looks at the router's
/// counters: it has made the connections, and their bytes went by shared memory.
/// </summary>
[TestFixture]
public sealed class ConnectionManagerTests
{
    private const string Other = "daemon";

    /// <summary>A server's arguments, and a client's, ADDRESS being the server's.</summary>
    public static IEnumerable<TestCaseData> Programs()
    {
        TestCaseData Case(string name, string? user, int connections, long messageBytes, long remoteBytes, string server, string client) =>
            new TestCaseData(user, connections, messageBytes, remoteBytes, server, client).SetName(name);
        yield return Case("Ping", null, 1, 0, 2 * 200 * 64L, "rping -s -C 200", "rping -c -a ADDRESS -C 200 -V");
        yield return Case("PingAnotherUser", Other, 1, 0, 2 * 50 * 4000L, "rping -s -a ADDRESS -S 4000 -C 50 -V", "rping -c -a ADDRESS -S 4000 -C 50 -V");
        yield return Case("PingIPv6", null, 1, 0, 2 * 50 * 64L, "rping -s -a ::0 -C 50", "rping -c -a ADDRESS6 -C 50 -V");
        yield return Case("ManyConnections", null, 20, 2 * 20 * 10 * 100L, 0, "ucmatose -c 20", "ucmatose -s ADDRESS -c 20");
        yield return Case("ManyConnectionsMigrated", null, 5, 2 * 5 * 10 * 100L, 0, "ucmatose -c 5 -m", "ucmatose -s ADDRESS -c 5 -m");
        yield return Case("Datagrams", null, 4, 4 * 10 * 100L, 0, "udaddy -c 4", "udaddy -s ADDRESS -c 4");
        yield return Case("SynchronousIds", null, 1, 2 * 16, 0, "rdma_server", "rdma_client -s ADDRESS");
        yield return Case("Stream", null, 1, 0, 2 * 100 * 100 * 64L, "rstream -S 64 -I 100 -C 100", "rstream -s ADDRESS -S 64 -I 100 -C 100");
        yield return Case("StreamOfAnotherUser", Other, 1, 0, 2 * 10 * 10 * 65536L, "rstream -S 65536 -I 10 -C 10", "rstream -s ADDRESS -S 65536 -I 10 -C 10");
        yield return Case("StreamByOffsets", null, 1, 0, 2 * 100 * 100 * 64L, "riostream -S 64 -I 100 -C 100", "riostream -s ADDRESS -S 64 -I 100 -C 100");
        // perftest has a connection of its own for its numbers.
        yield return Case("WriteBandwidth", null, 2, 0, 5000 * 65536L, "ib_write_bw -R", "ib_write_bw -R ADDRESS");
        yield return Case("SendLatency", null, 2, 2 * 1000 * 2L, 0, "ib_send_lat -R", "ib_send_lat -R ADDRESS");
    }

    [TestCaseSource(nameof(Programs))]
    public void ConnectsAndCarriesItsBytes(string? user, int connections, long messageBytes, long remoteBytes, string server, string client)
    {
        Tools.Require($"/usr/bin/{server.Split(' ')[0]}");
        using Stage stage = new(Mixture.Both);
        CommandLine serve = stage.AsServer(Command(stage, server));
        using LabProcess serving = stage.Server.Start(user is null ? serve : serve.As(user));
        Assert.That(Waiting.Until(() => stage.Router!.Status().VerbsListeners == 1, TimeSpan.FromSeconds(60)), "it listens: " + serving.Error);
        _ = stage.Call(Command(stage, client), seconds: 120);
        CompletedProcess served = serving.Wait(TimeSpan.FromSeconds(60)).Succeeded(server);
        Assert.That(served.Error, Does.Not.Contain("freeflow"));
        RouterStatus status = stage.Router!.Status();
        _ = Waiting.Until(() => (status = stage.Router!.Status()).VerbsQueuePairs == 0, TimeSpan.FromSeconds(30));
        Assert.Multiple(() =>
        {
            Assert.That(status.VerbsQueuePairs, Is.Zero, "queue pairs are left");
            Assert.That(status.Verbs.GetProperty("identifiers").GetArrayLength(), Is.Zero, "identifiers are left");
            Assert.That(status.VerbsConnectedTotal, Is.EqualTo(connections));
            Assert.That(status.VerbsMessageBytesTotal, Is.GreaterThanOrEqualTo(messageBytes));
            Assert.That(status.VerbsRemoteBytesTotal, Is.GreaterThanOrEqualTo(remoteBytes));
        });
    }

    [Test]
    public void TellsOfAPeerThatIsKilled()
    {
        using Stage stage = new(Mixture.Both);
        using LabProcess serving = stage.Server.Start(stage.AsServer(new CommandLine("rping", "-s")));
        Assert.That(Waiting.Until(() => stage.Router!.Status().VerbsListeners == 1, TimeSpan.FromSeconds(60)), "it listens: " + serving.Error);
        using LabProcess asking = stage.Client.Start(stage.AsClient(new CommandLine("rping", "-c", "-d", "-a", stage.Address)));
        Assert.That(Waiting.Until(() => stage.Router!.Status().VerbsRemoteBytesTotal > 1 << 16, TimeSpan.FromSeconds(60)), "bytes are written: " + asking.Error);
        serving.Kill();
        CompletedProcess ended = asking.Wait(TimeSpan.FromSeconds(60));
        Assert.That(ended.Output + ended.Error, Does.Contain("DISCONNECT"));
    }

    [TestCase("ucmatose", "RDMA_CM_EVENT_REJECTED, error: 8")]
    [TestCase("udaddy", "RDMA_CM_EVENT_UNREACHABLE")]
    public void NobodyListens(string program, string expected)
    {
        using Stage stage = new(Mixture.Both);
        CompletedProcess ended = stage.Client.Run(stage.AsClient(new CommandLine(program, "-s", stage.Client.Address4)), TimeSpan.FromSeconds(60));
        Assert.That(ended.ExitCode, Is.Not.Zero);
        Assert.That(ended.Output + ended.Error, Does.Contain(expected));
    }

    private static CommandLine Command(Stage stage, string line)
    {
        string[] words = line.Replace("ADDRESS6", stage.Server.Address6, StringComparison.Ordinal).Replace("ADDRESS", stage.Address, StringComparison.Ordinal).Split(' ');
        return new CommandLine(words[0], words[1..]);
    }
}
