using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading.Tasks;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Well-known programs in every mixture: the results are those of a plain run, and the ring carried bytes exactly where it should.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class ProgramTests
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> s_plain = new();

    private static IEnumerable<TestCaseData> Cases()
    {
        foreach (Scenario scenario in Scenario.All)
            foreach (Mixture mixture in Enum.GetValues<Mixture>())
                yield return new TestCaseData(scenario, mixture).SetArgDisplayNames(scenario.Name, mixture.ToString());
    }

    private static Scenario[] Scenarios() => Scenario.All;

    private static IEnumerable<TestCaseData> Variants()
    {
        foreach (string how in new[] { "-R", "-P 4", "--bidir", "-6" }) yield return Variant(new Iperf(how), how);
        foreach (string how in new[] { "-F poll", "-F epoll", "-F select", "-F recvfrom" }) yield return Variant(new Sockperf(how), how);

        static TestCaseData Variant(Scenario scenario, string how) => new TestCaseData(scenario).SetArgDisplayNames(scenario.Name, how);
    }

    [TestCaseSource(nameof(Cases))]
    public void SameResults(Scenario scenario, Mixture mixture)
    {
        Tools.Require(scenario.Needs);
        string plain = PlainResult(scenario);
        if (mixture == Mixture.Plain) return;
        using Stage stage = Prepare(scenario, mixture);
        scenario.Start(stage);
        switch (mixture)
        {
            case Mixture.RouterAbsent: Assert.That(scenario.Work(stage, 1), Is.EqualTo(plain)); break;
            case Mixture.RouterLate: StartLate(scenario, stage, plain); break;
            case Mixture.RouterKilled: KillInTheMiddle(scenario, stage, plain); break;
            default: Compare(scenario, stage, plain, mixture == Mixture.Both); break;
        }
        Assert.That(stage.Complaints, Is.Empty);
    }

    [TestCaseSource(nameof(Variants))]
    public void SameResultsInEveryWayOfTheProgram(Scenario scenario)
    {
        Tools.Require(scenario.Needs);
        using Stage stage = Prepare(scenario, Mixture.Both);
        scenario.Start(stage);
        Compare(scenario, stage, PlainResult(scenario), ring: true);
        Assert.That(stage.Complaints, Is.Empty);
    }

    /// <summary>With nothing set but the preload: connections that last are accelerated after their first messages.</summary>
    [TestCaseSource(nameof(Scenarios))]
    public void SameResultsByDefault(Scenario scenario)
    {
        Tools.Require(scenario.Needs);
        string plain = PlainResult(scenario);
        using Stage stage = new(Mixture.Both);
        stage.Variables.Clear();
        scenario.Start(stage);
        Compare(scenario, stage, plain, ring: true);
        Assert.That(stage.Complaints, Is.Empty);
    }

    /// <summary>An offer at once is an offer before the fork: the process that it was made by closes the connection, its child goes on.</summary>
    [Test]
    public void TheChildOfWhoOfferedIsAccelerated()
    {
        PythonForkingServer scenario = new();
        Tools.Require(scenario.Needs);
        string plain = PlainResult(scenario);
        using Stage stage = new(Mixture.Both);
        scenario.Start(stage);
        Compare(scenario, stage, plain, ring: true);
    }

    private static Stage Prepare(Scenario scenario, Mixture mixture) => scenario.MayWaitForTheJoin ? new Stage(mixture).WaitingForTheJoin() : new Stage(mixture);

    internal static string PlainResult(Scenario scenario) => s_plain.GetOrAdd(scenario.ToString(), _ => new(() =>
    {
        using Stage stage = new(Mixture.Plain);
        scenario.Start(stage);
        return scenario.Work(stage, 0);
    })).Value;

    private static void Compare(Scenario scenario, Stage stage, string plain, bool ring)
    {
        using RingSampler sampler = new(stage.SocketPath, TimeSpan.FromMilliseconds(30));
        Assert.That(scenario.Work(stage, 1), Is.EqualTo(plain));
        // The bytes of a program that has ended are counted when the router has seen its end.
        if (ring) Assert.That(Waiting.Until(() => LookedAt(sampler).RingBytes > 0, TimeSpan.FromSeconds(5)), "no byte went through the ring");
        else Assert.That(sampler.RingBytes, Is.Zero, "one side alone cannot have a ring");
    }

    private static RingSampler LookedAt(RingSampler sampler)
    {
        sampler.Look();
        return sampler;
    }

    private static void StartLate(Scenario scenario, Stage stage, string plain)
    {
        Assert.That(scenario.Work(stage, 0), Is.EqualTo(plain), "before the router");
        stage.StartRouter();
        // The server has been refused by an absent router a moment ago; it tries again in its own time.
        for (int attempt = 1; ; attempt++)
        {
            using RingSampler sampler = new(stage.SocketPath, TimeSpan.FromMilliseconds(30));
            Assert.That(scenario.Work(stage, 1), Is.EqualTo(plain), "after the router started");
            if (sampler.RingBytes > 0) return;
            Assert.That(attempt, Is.LessThan(5), "the router is there, but no byte went through the ring");
        }
    }

    private static void KillInTheMiddle(Scenario scenario, Stage stage, string plain)
    {
        using RingSampler sampler = new(stage.SocketPath, TimeSpan.FromMilliseconds(30));
        Task<string> work = Task.Factory.StartNew(() => scenario.Work(stage, 2), TaskCreationOptions.LongRunning);
        bool ring = Waiting.Until(() => sampler.RingBytes > 0 || work.IsCompleted, TimeSpan.FromSeconds(20)) && sampler.RingBytes > 0;
        stage.Router!.Kill();
        Assert.That(work.Wait(TimeSpan.FromSeconds(40)), Is.True, "the programs hang after the router was killed");
        Assert.That(work.Result, Is.EqualTo(plain));
        Assert.That(ring, Is.True, "no byte went through the ring before the router was killed");
        Assert.That(scenario.Work(stage, 0), Is.EqualTo(plain), "new connections after the router was killed");
    }
}
