using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>Round trips of 64 bytes between two programs that never sleep.</summary>
internal sealed class PingPongCase : BenchCase
{
    internal override Metric[] Metrics { get; } = [new Metric("pingpong-64-busy", "µs p50", false, Target.AtMost(0.5, "µs"))];

    internal override Road[] Roads => [Road.Kernel, Road.Unix, Road.FreeFlow];

    internal override Sample Measure(Testbed testbed, Road road)
    {
        int port = testbed.NextPort();
        CommandLine server = new(Testbed.Probe, ["pong", .. testbed.Where(road, port)]);
        CommandLine client = new(Testbed.Probe, ["ping", .. testbed.Where(road, port), testbed.SecondsText]);
        Exchange exchange = testbed.Run(road, server, testbed.Listening(road, port), client);
        return new Sample(double.NaN, exchange.RingBytes, Text.Find(exchange.Client.Output, "^([0-9]+)") / 1000);
    }
}
