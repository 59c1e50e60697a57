using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>What the policy says, for programs on one host.</summary>
public sealed class PolicyTests
{
    private const long Bytes = 4_000_000;

    [Test]
    public void ARuleLeavesAConnectionToTheKernelAndTheStatusNamesIt()
    {
        using Stage stage = new Stage(Mixture.Both, Policy("rule no-shm from 10.77.0.0/24 to any over fabric")).WaitingForTheJoin();
        using StreamRun run = new(stage, new StreamPlan("processes", "poll", "4", Bytes, 1));
        run.WaitUntilTransferred();
        ConnectionStatus[] ends = run.Connections(stage);
        Assert.That(ends.Select(end => (end.RingSent, end.Rule)), Is.EqualTo(new[] { (0L, "no-shm"), (0L, "no-shm") }));
        Assert.That(ends[0].Reason, Is.EqualTo("the policy leaves it to the kernel"));
        run.Finish();
    }

    /// <summary>Held back, but whole; how exact the rate is <c>make bench CASE=rate</c> measures.</summary>
    [TestCase("blocking")]
    [TestCase("epoll-et")]
    public void ALimitedConnectionGoesThroughTheRouterNoFasterThanItsRate(string style)
    {
        using Stage stage = new Stage(Mixture.Both, Policy("rate 10.77.0.1 max=40 burst=16384")).WaitingForTheJoin();
        long start = Environment.TickCount64;
        using StreamRun run = new(stage, new StreamPlan("processes", style, "4", Bytes, 2));
        run.WaitUntilTransferred();
        Assert.That(Environment.TickCount64 - start, Is.GreaterThan((Bytes - 16384 - (1 << 16)) * 8 / 40_000), "milliseconds that 4 MB take at 40 Mbit/s");
        Assert.That(run.Connections(stage).Select(end => end.RingSent), Has.All.GreaterThan(Bytes / 2));
        run.Finish();
    }

    private static string[] Policy(string text)
    {
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"policy-{TestContext.CurrentContext.Test.ID}");
        File.WriteAllText(file, text);
        return ["--policy", file];
    }
}
