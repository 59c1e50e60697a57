using System.Collections.Generic;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Byte for byte what the kernel would have delivered, by every road: blocking and not, poll, select, epoll, IPv4, IPv6 and mapped, between processes,
/// between threads and within one thread. The counters must account for every byte.
/// </summary>
[Parallelizable(ParallelScope.Children)]
public sealed class ByteExactTests
{
    private const long Bytes = 6_000_000;

    private Stage _stage = null!;

    [OneTimeSetUp]
    public void SetUp()
    {
        Tools.Require(Tools.Python);
        _stage = new Stage(Mixture.Both).WaitingForTheJoin();
    }

    [OneTimeTearDown]
    public void TearDown() => _stage?.Dispose();

    private static IEnumerable<StreamPlan> Plans()
    {
        int seed = 100;
        foreach (string where in new[] { "processes", "threads", "single" })
            foreach (string style in new[] { "blocking", "poll", "select", "epoll-lt", "epoll-et", "epoll-oneshot" })
                foreach (string family in new[] { "4", "6", "mapped", "dual" })
                    if ((where, style) != ("single", "blocking") && (where != "single" || family != "dual")) yield return new(where, style, family, Bytes, seed++, "warm");
        foreach (string style in new[] { "blocking", "poll", "epoll-et" }) yield return new("processes", style, "4", Bytes, seed++, "promised");
    }

    [TestCaseSource(nameof(Plans))]
    public void StreamsAreEqualAndWentThroughTheRing(StreamPlan plan)
    {
        using StreamRun run = new(_stage, plan);
        run.WaitUntilTransferred();
        ConnectionStatus[] ends = run.Connections(_stage);
        run.Finish();
        Assert.That(ends, Has.Length.EqualTo(2), $"ends of the connection that the router knows: {string.Join("; ", ends.AsEnumerable())}");
        foreach (ConnectionStatus end in ends)
        {
            Assert.That(end.RingSent, Is.Positive, $"{end.State}: {end.Reason}");
            Assert.That(end.RingReceived, Is.Positive, $"{end.State}: {end.Reason}");
            Assert.That(end.RingSent + end.KernelSent, Is.EqualTo(Bytes), "bytes sent, by the counters");
            Assert.That(end.RingReceived + end.KernelReceived, Is.EqualTo(Bytes), "bytes received, by the counters");
        }
        Assert.That(ends.Sum(e => e.RingSent), Is.EqualTo(ends.Sum(e => e.RingReceived)));
    }
}
