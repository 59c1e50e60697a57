using System;
using System.Collections.Generic;
using System.IO;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Unmodified RDMA programs (ibverbs-utils, perftest) in two containers without a device. Each case looks at the router's counters: the bytes did go by shared memory.
/// </summary>
[TestFixture]
public sealed class VerbsTests
{
    /// <summary>Where both ibverbs-utils and perftest exchange their numbers, by TCP.</summary>
    private const int Port = 18515;

    /// <summary>Between containers of one user, and of two: pages at the edge of a region are shared only with one's own.</summary>
    public static IEnumerable<TestCaseData> Programs()
    {
        foreach (string? user in new[] { null, "daemon" })
        {
            string suffix = user is null ? "" : " another user";
            TestCaseData Case(string name, long messageBytes, long remoteBytes, string program, params string[] arguments) =>
                new TestCaseData(user, messageBytes, remoteBytes, program, arguments).SetName($"{name}{suffix}");
            yield return Case("PingPong", 2 * 1000 * 4096, 0, "ibv_rc_pingpong", "-g", "0");
            yield return Case("PingPongWithEvents", 2 * 1000 * 4096, 0, "ibv_rc_pingpong", "-g", "0", "-e");
            yield return Case("PingPongOfOddSize", 2 * 100 * 700_001L, 0, "ibv_rc_pingpong", "-g", "0", "-s", "700001", "-n", "100", "-c");
            yield return Case("SendLatency", 2 * 1000 * 2, 0, "ib_send_lat");
            yield return Case("SendBandwidth", 1000 * 65536L, 0, "ib_send_bw");
            yield return Case("SendBandwidthOldCalls", 1000 * 65536L, 0, "ib_send_bw", "--use_old_post_send");
            yield return Case("SharedReceives", 2 * 1000 * 4096, 0, "ibv_srq_pingpong", "-g", "0", "-c");
            yield return Case("SharedReceivesWithEvents", 2 * 1000 * 4096, 0, "ibv_srq_pingpong", "-g", "0", "-e", "-c");
            yield return Case("SendLatencySharedReceives", 2 * 1000 * 2, 0, "ib_send_lat", "--use-srq");
            yield return Case("SendBandwidthSharedReceives", 4 * 1000 * 65536L, 0, "ib_send_bw", "--use-srq", "-q", "4");
            yield return Case("Datagrams", 2 * 1000 * 1024, 0, "ibv_ud_pingpong", "-g", "0", "-c");
            yield return Case("DatagramsWithEvents", 2 * 1000 * 1024, 0, "ibv_ud_pingpong", "-g", "0", "-e", "-c");
            yield return Case("DatagramLatency", 2 * 1000 * 2, 0, "ib_send_lat", "-c", "UD");
            yield return Case("DatagramBandwidth", 1000 * 4096, 0, "ib_send_bw", "-c", "UD");
            yield return Case("SmallDatagrams", 20000 * 2, 0, "ib_send_bw", "-c", "UD", "-s", "2", "-n", "20000", "--use_old_post_send");
            yield return Case("WriteLatency", 0, 2 * 1000 * 2, "ib_write_lat");
            yield return Case("WriteBandwidth", 0, 5000 * 65536L, "ib_write_bw");
            yield return Case("WriteBandwidthManyPairs", 0, 5000 * 65536L, "ib_write_bw", "-q", "8", "--mr_per_qp");
            yield return Case("ReadLatency", 0, 1000 * 2, "ib_read_lat");
            yield return Case("ReadBandwidth", 0, 1000 * 65536L, "ib_read_bw");
            yield return Case("AtomicLatency", 0, 1000 * 8, "ib_atomic_lat");
            yield return Case("AtomicBandwidth", 0, 1000 * 8, "ib_atomic_bw");
        }
    }

    [TestCaseSource(nameof(Programs))]
    public void CarriesItsBytesThroughSharedMemory(string? user, long messageBytes, long remoteBytes, string program, string[] arguments)
    {
        Tools.Require($"/usr/bin/{program}");
        using Stage stage = new(Mixture.Both);
        CommandLine server = stage.AsServer(new CommandLine(program, arguments));
        using LabProcess serving = stage.Server.Start(user is null ? server : server.As(user));
        stage.Server.WaitForPort(Port, serving);
        _ = stage.Call(new CommandLine(program, [.. arguments, stage.Address]), seconds: 120);
        CompletedProcess served = serving.Wait(TimeSpan.FromSeconds(60)).Succeeded(program);
        Assert.That(served.Error, Does.Not.Contain("freeflow"));
        // The processes have ended, and the router has counted what they leave: it hears of it by itself.
        RouterStatus status = stage.Router!.Status();
        _ = Waiting.Until(() => (status = stage.Router!.Status()).VerbsQueuePairs == 0, TimeSpan.FromSeconds(30));
        Assert.Multiple(() =>
        {
            Assert.That(status.VerbsQueuePairs, Is.Zero, "queue pairs are left");
            Assert.That(status.VerbsMessageBytesTotal, Is.GreaterThanOrEqualTo(messageBytes));
            Assert.That(status.VerbsRemoteBytesTotal, Is.GreaterThanOrEqualTo(remoteBytes));
        });
    }

    /// <summary>A region that begins and ends within pages: every byte of it and around it, while other threads and a child store beside it; see programs/verbs/region.c.</summary>
    [TestCase(null)]
    [TestCase("daemon")]
    public void KeepsEveryByteInAndAroundARegion(string? user)
    {
        using Stage stage = new(Mixture.Both);
        string program = Compile(stage, "region");
        CommandLine owner = stage.AsServer(new CommandLine(program));
        using LabProcess owning = stage.Server.Start(user is null ? owner : owner.As(user));
        stage.Server.WaitForPort(Port, owning);
        Assert.That(stage.Call(new CommandLine(program, stage.Address), seconds: 120).Output, Is.EqualTo("right\n"));
        Assert.That(owning.Wait(TimeSpan.FromSeconds(60)).Succeeded("the owner").Output, Is.EqualTo("right\n"));
    }

    /// <summary>What no program of Debian looks at, in one process with both ends; see programs/verbs/NAME.c.</summary>
    [TestCase("shared")]
    [TestCase("datagrams")]
    [TestCase("extended")]
    [TestCase("neighbours")]
    public void DoesAsTheSpecificationSays(string name)
    {
        using Stage stage = new(Mixture.Both);
        Assert.That(stage.Call(new CommandLine(Compile(stage, name)), seconds: 120).Output, Is.EqualTo("right\n"));
    }

    /// <summary>A peer that writes what it likes into all that it shares with a queue pair ends that one, and nothing else of its owner's.</summary>
    [Test]
    public void APeerThatWritesNonsenseEndsItsOwnQueuePairAlone()
    {
        const string seconds = "4", seed = "1";
        using Stage stage = new(Mixture.Both);
        CompletedProcess run = stage.Call(new CommandLine(Compile(stage, "hostile"), seconds, seed), seconds: 120);
        TestContext.Out.WriteLine(run.Output);
        Assert.That(run.Output, Does.StartWith("right, "), run.Error);
    }

    /// <summary>What is sent to a process that has been killed ends with an error, as to a dead host.</summary>
    [Test]
    public void EndsWithAnErrorWhenThePeerIsKilled()
    {
        Tools.Require("/usr/bin/ib_write_bw");
        using Stage stage = new(Mixture.Both);
        using LabProcess serving = stage.Server.Start(stage.AsServer(new CommandLine("ib_write_bw", "-D", "600")));
        stage.Server.WaitForPort(Port, serving);
        using LabProcess writing = stage.Client.Start(stage.AsClient(new CommandLine("ib_write_bw", "-D", "600", stage.Address)));
        Assert.That(Waiting.Until(() => stage.Router!.Status().VerbsRemoteBytesTotal > 1 << 20, TimeSpan.FromSeconds(60)), "bytes are written");
        serving.Kill();
        CompletedProcess ended = writing.Wait(TimeSpan.FromSeconds(60));
        Assert.That(ended.ExitCode, Is.Not.Zero);
        Assert.That(ended.Output + ended.Error, Does.Contain("status 12").Or.Contain("Failed status 12"), "IBV_WC_RETRY_EXC_ERR");
    }

    [Test]
    public void ShowsADeviceWithTheContainersAddresses()
    {
        Tools.Require("/usr/bin/ibv_devinfo");
        using Stage stage = new(Mixture.Both);
        Assert.That(stage.Call(new CommandLine("ibv_devices")).Output, Does.Contain("freeflow0"));
        string told = stage.Call(new CommandLine("ibv_devinfo", "-v")).Output;
        Assert.That(told, Does.Contain("PORT_ACTIVE").And.Contain($"::ffff:{stage.Client.Address4}").And.Contain("RoCE v2"));
        Assert.That(Regex.IsMatch(told, "127\\.0\\.0\\.1"), Is.False, "loopback is every container's");
    }

    [Test]
    public void WithoutARouterThereIsNoDevice()
    {
        Tools.Require("/usr/bin/ibv_devices");
        using Stage stage = new(Mixture.RouterAbsent);
        Assert.That(stage.Call(new CommandLine("ibv_devices")).Output, Does.Not.Contain("freeflow0"));
    }

    /// <summary>The path of programs/verbs/NAME.c as a program.</summary>
    private static string Compile(Stage stage, string name)
    {
        Tools.Require("gcc");
        string program = Path.Combine(stage.Folder, name);
        _ = Place.Host.Run(new CommandLine("gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, Tools.Program($"verbs/{name}.c"), "-libverbs"))
            .Succeeded($"gcc {name}.c");
        return program;
    }
}
