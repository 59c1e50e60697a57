using System.Globalization;
using System.Text.Json;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>iperf3, one stream. AF_UNIX, which iperf3 does not know, is measured by the probe with blocks of iperf3's size.</summary>
internal sealed class IperfCase : BenchCase
{
    private const double BitsPerGigabyte = 8e9;

    internal override Metric[] Metrics { get; } = [new Metric("iperf3", "GB/s", true, Target.TimesAndUnix(3))];

    internal override Road[] Roads => [Road.Kernel, Road.Unix, Road.FreeFlow];

    internal override Sample Measure(Testbed testbed, Road road)
    {
        int port = testbed.NextPort();
        string text = port.ToString(CultureInfo.InvariantCulture);
        if (road == Road.Unix) return MeasureUnix(testbed, port);
        CommandLine server = new("iperf3", "-s", "-p", text);
        CommandLine client = new("iperf3", "-c", testbed.Pair.First.Address4, "-p", text, "-t", testbed.WholeSeconds, "-J");
        Exchange exchange = testbed.Run(road, server, testbed.Listening(road, port), client);
        JsonElement received = JsonDocument.Parse(exchange.Client.Output).RootElement.GetProperty("end").GetProperty("sum_received");
        double blocks = received.GetProperty("bytes").GetDouble() / (128 * 1024);
        return new Sample(exchange.CpuSeconds * 1e6 / blocks, exchange.RingBytes, received.GetProperty("bits_per_second").GetDouble() / BitsPerGigabyte);
    }

    private static Sample MeasureUnix(Testbed testbed, int port)
    {
        CommandLine server = new(Testbed.Probe, ["sink", .. testbed.Where(Road.Unix, port)]);
        CommandLine client = new(Testbed.Probe, ["source", .. testbed.Where(Road.Unix, port), testbed.SecondsText]);
        Exchange exchange = testbed.Run(Road.Unix, server, testbed.Listening(Road.Unix, port), client);
        string output = exchange.Server.Output;
        return new Sample(double.NaN, 0, Text.Find(output, "^([0-9]+)") / Text.Find(output, "^[0-9]+ ([0-9.]+)") / 1e9);
    }
}
