using System;
using System.Globalization;
using System.Text.Json;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>iperf3 between containers of a laboratory, for tests of rates.</summary>
internal static class AcceleratedIperf
{
    private const int Port = 5201;

    /// <summary>A server, which listens.</summary>
    public static LabProcess Serve(LabPlace place)
    {
        LabProcess server = place.Start(Command("-s"));
        place.WaitForPort(Port, server);
        return server;
    }

    /// <summary>A client that sends for three seconds. The first one, in which rings are filled, does not count.</summary>
    public static LabProcess Call(LabPlace from, LabPlace to) => from.Start(Command("-c", to.Address4, "-O", "1", "-t", "3", "-J"));

    /// <summary>What has arrived from a client, when it has ended.</summary>
    public static (long Bytes, double BitsPerSecond) Received(LabProcess client)
    {
        using JsonDocument report = JsonDocument.Parse(client.Wait(TimeSpan.FromSeconds(30)).Succeeded("iperf3").Output);
        JsonElement received = report.RootElement.GetProperty("end").GetProperty("sum_received");
        return (received.GetProperty("bytes").GetInt64(), received.GetProperty("bits_per_second").GetDouble());
    }

    private static CommandLine Command(params string[] arguments) =>
        new CommandLine("iperf3", [.. arguments, "-p", Port.ToString(CultureInfo.InvariantCulture)]).WithFreeFlow().With("FREEFLOW_OFFER_AFTER", "0");
}
