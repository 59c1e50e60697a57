using System;
using System.Globalization;
using System.Text.Json;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Hosts;

/// <summary>iperf3, one stream.</summary>
internal sealed class IperfAcross : HostCase
{
    internal override HostMetric[] Metrics { get; } =
    [
        new("iperf3, one stream", "Gbit/s", "≥ 1.3× overlay, ≥ 0.9× host", medians =>
            medians[HostRoad.Fabric] >= 1.3 * medians[HostRoad.Overlay] && medians[HostRoad.Fabric] >= 0.9 * medians[HostRoad.Host]),
    ];

    internal override string CpuUnit => "s/GB";

    internal override HostSample Measure(HostBed bed, HostRoad road)
    {
        int port = bed.NextPort();
        string text = port.ToString(CultureInfo.InvariantCulture);
        CommandLine client = new("iperf3", "-c", bed.Server(road).Address4, "-p", text, "-t", bed.WholeSeconds, "-J");
        HostExchange exchange = bed.Run(road, port, new CommandLine("iperf3", "-s", "-p", text), client);
        JsonElement received = JsonDocument.Parse(exchange.Client.Output).RootElement.GetProperty("end").GetProperty("sum_received");
        return new HostSample(exchange.BusySeconds * 1e9 / received.GetProperty("bytes").GetDouble(), exchange.FabricBytes, received.GetProperty("bits_per_second").GetDouble() / 1e9);
    }
}
