using System.IO;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>sockperf ping-pong, 64 bytes, under one way of waiting; its latency is half a round trip.</summary>
internal sealed class SockperfCase(string waiting) : BenchCase
{
    /// <summary>More than any road can do: the default is 600,000, which a ring exceeds.</summary>
    private const string MessagesPerSecond = "4000000";

    internal override Metric[] Metrics { get; } = [new Metric($"sockperf-{waiting}", "µs p50", false, Target.Times(5))];

    internal override Sample Measure(Testbed testbed, Road road)
    {
        int port = testbed.NextPort();
        string feed = Path.Combine(testbed.Pair.Folder, $"{port}.feed");
        File.WriteAllText(feed, $"T:{testbed.Pair.First.Address4}:{port}\n");
        string[] how = ["-f", feed, "-F", waiting];
        CommandLine server = new("sockperf", ["server", .. how]);
        CommandLine client = new("sockperf", ["ping-pong", .. how, "-m", "64", "-t", testbed.WholeSeconds, "--mps", MessagesPerSecond]);
        Exchange exchange = testbed.Run(road, server, testbed.Listening(road, port), client);
        double received = Text.Find(exchange.Client.Output, @"Total Run\].*ReceivedMessages=([0-9]+)");
        return new Sample(exchange.CpuSeconds * 1e6 / received, exchange.RingBytes, Text.Find(exchange.Client.Output, @"percentile 50\.0* = +([0-9.]+)"));
    }
}
