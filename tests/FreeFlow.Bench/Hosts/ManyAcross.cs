using System.Globalization;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Hosts;

/// <summary>1,000 streams at once between one pair of programs: together, and how far the most and the least favoured are from the mean.</summary>
internal sealed class ManyAcross : HostCase
{
    private const string Streams = "1000";

    internal override HostMetric[] Metrics { get; } =
    [
        new("1,000 streams together", "Gbit/s", "", _ => true),
        new("the same, farthest stream from the mean", "%", "≤ 10 %", medians => medians[HostRoad.Fabric] <= 10),
    ];

    internal override string CpuUnit => "s/GB";

    internal override HostSample Measure(HostBed bed, HostRoad road)
    {
        int port = bed.NextPort();
        string[] where = [bed.Server(road).Address4, port.ToString(CultureInfo.InvariantCulture), Streams];
        // The first seconds, in which the connections are made and joined, do not count.
        string warming = "3", seconds = (5 * bed.Seconds).ToString(CultureInfo.InvariantCulture);
        HostExchange exchange = bed.Run(road, port, new CommandLine(Testbed.Probe, ["swallow", .. where, warming, seconds]), new CommandLine(Testbed.Probe, ["pour", .. where]));
        CompletedProcess server = exchange.Server.Wait(System.TimeSpan.FromSeconds(20)).Succeeded("probe swallow");
        double[] figures = [.. System.Linq.Enumerable.Select(server.Output.Trim().Split(' '), figure => double.Parse(figure, CultureInfo.InvariantCulture))];
        (double all, double bytes, double length, double least, double mean, double most) = (figures[0], figures[1], figures[2], figures[3], figures[4], figures[5]);
        return new HostSample(exchange.BusySeconds * 1e9 / all, exchange.FabricBytes, bytes * 8e-9 / length, 100 * System.Math.Max(most - mean, mean - least) / mean);
    }
}
