using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// The hand-over in the middle of traffic: nobody waits for the join, the seed chooses when the connection is offered, how it is used and how long it lasts.
/// FREEFLOW_TEST_SEEDS=n runs more seeds, FREEFLOW_TEST_FIRST_SEED=n begins elsewhere.
/// </summary>
[Parallelizable(ParallelScope.Children)]
public sealed class ByteExactStressTests
{
    private static IEnumerable<int> Seeds() => Enumerable.Range(Number("FREEFLOW_TEST_FIRST_SEED", 1), Number("FREEFLOW_TEST_SEEDS", 20));

    [TestCaseSource(nameof(Seeds))]
    public void StreamsAreEqual(int seed)
    {
        Tools.Require(Tools.Python);
        Random random = new(seed);
        string[] styles = ["blocking", "poll", "select", "epoll-lt", "epoll-et", "epoll-oneshot"];
        using Stage stage = new(random.Next(8) switch { 0 => Mixture.RouterLate, 1 => Mixture.RouterKilled, _ => Mixture.Both });
        stage.Variables.Clear();
        Choose("FREEFLOW_OFFER_AFTER", "0", "1", "3", "50/100000", null);
        Choose("FREEFLOW_SPIN_US", "0", "50", null);
        StreamPlan plan = new(Pick("processes", "processes", "threads", "single"), Pick(styles), Pick("4", "6", "mapped", "dual"),
            random.NextInt64(12_000_000, 40_000_000), seed, Pick("", "pauses", "narrow", "narrow pauses"));
        if (plan is { Where: "single", Style: "blocking" }) plan = plan with { Style = "poll" };
        TestContext.Out.WriteLine($"{plan}, {stage.Mixture}, {string.Join(' ', stage.Variables.Select(v => $"{v.Key}={v.Value}"))}");

        using StreamRun run = new(stage, plan);
        if (stage.Mixture == Mixture.RouterKilled)
        {
            Thread.Sleep(random.Next(200));
            stage.Router!.Kill();
        }
        if (stage.Mixture != Mixture.Both) stage.StartRouter();
        run.WaitUntilTransferred();
        ConnectionStatus[] ends = run.Connections(stage);
        run.Finish();
        if (stage.Mixture == Mixture.Both) Assert.That(ends.Sum(e => e.RingSent), Is.Positive, "no byte went through the ring");
        foreach (ConnectionStatus end in ends) Assert.That(end.RingSent + end.KernelSent, Is.LessThanOrEqualTo(plan.Bytes), "bytes sent, by the counters");

        string Pick(params string[] choices) => choices[random.Next(choices.Length)];

        void Choose(string name, params string?[] values)
        {
            if (values[random.Next(values.Length)] is { } value) stage.Variables[name] = value;
        }
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
