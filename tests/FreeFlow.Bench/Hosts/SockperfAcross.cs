using System.Globalization;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Hosts;

/// <summary>sockperf ping-pong, 64 bytes; its latency is half a round trip.</summary>
internal sealed class SockperfAcross : HostCase
{
    internal override HostMetric[] Metrics { get; } =
    [
        new("sockperf ping-pong, one way, p50", "µs", "≤ host + 10 µs", medians => medians[HostRoad.Fabric] <= medians[HostRoad.Host] + 10),
        new("the same, p99", "µs", "", _ => true),
    ];

    internal override string CpuUnit => "µs/message";

    internal override HostSample Measure(HostBed bed, HostRoad road)
    {
        int port = bed.NextPort();
        string[] where = ["--tcp", "-i", bed.Server(road).Address4, "-p", port.ToString(CultureInfo.InvariantCulture)];
        CommandLine client = new("sockperf", ["ping-pong", .. where, "-m", "64", "-t", bed.WholeSeconds]);
        HostExchange exchange = bed.Run(road, port, new CommandLine("sockperf", ["server", .. where]), client);
        string output = exchange.Client.Output;
        double messages = Text.Find(output, @"Total Run\].*ReceivedMessages=([0-9]+)");
        return new HostSample(exchange.BusySeconds * 1e6 / messages, exchange.FabricBytes, Text.Find(output, @"percentile 50\.0* = +([0-9.]+)"), Text.Find(output, @"percentile 99\.0* = +([0-9.]+)"));
    }
}
