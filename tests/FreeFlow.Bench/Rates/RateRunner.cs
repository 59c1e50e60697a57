using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using Spectre.Console;

namespace FreeFlow.Bench.Rates;

/// <summary><c>make bench CASE=rate</c>: how exactly limited virtual IPs keep their rates (docs/policy.md), second by second, on one host and between two.</summary>
internal static class RateRunner
{
    internal const string Name = "rate";
    private const string Seconds = "10";

    // The containers a, b and c of the first host are limited, by these; its d and the second host's a receive.
    private static readonly (string Container, int Limit)[] s_limits = [("a", 10), ("b", 100), ("c", 1000)];

    internal static void Run()
    {
        LabDescription hosts = LabDescription.Create(hosts: 2, containers: 4, etcd: false);
        string policy = Path.Combine(Artifacts.Folder, "bench", "rates.policy");
        Directory.CreateDirectory(Path.GetDirectoryName(policy)!);
        File.WriteAllLines(policy, s_limits.Select(each => $"rate {Address(hosts, each.Container)} max={each.Limit}"));
        using Laboratory lab = Laboratory.Start(hosts with { RouterArguments = ["--policy", policy] });
        List<RateRow> rows = [];
        int port = 7000;
        foreach ((string where, LabPlace reader) in new[] { ("one host", lab["h1"]["d"]), ("two hosts", lab["h2"]["a"]) })
        {
            foreach ((string container, int limit) in s_limits)
            {
                foreach (int streams in new[] { 1, 8 })
                {
                    Progress.Show(Name, $"{where}, {limit} Mbit/s, {streams} streams");
                    rows.Add(new RateRow(where, streams, limit, Measure(lab["h1"], lab["h1"][container], reader, port++, streams)));
                }
            }
        }
        Progress.Clear();
        Print(rows);
        File.WriteAllText(Path.Combine(Artifacts.Folder, "bench-rate.json"), JsonSerializer.Serialize(rows, new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    private static double[] Measure(LabHost host, LabPlace sender, LabPlace reader, int port, int streams)
    {
        string[] where = [reader.Address4, port.ToString(CultureInfo.InvariantCulture), streams.ToString(CultureInfo.InvariantCulture)];
        using LabProcess server = reader.Start(new CommandLine(Testbed.Probe, ["meter", .. where, Seconds]).WithFreeFlow());
        reader.WaitForPort(port, server);
        using LabProcess client = sender.Start(new CommandLine(Testbed.Probe, ["pour", .. where]).WithFreeFlow());
        long ring = host.Status().RingBytesTotal;
        CompletedProcess ended = server.Wait(TimeSpan.FromSeconds(60)).Succeeded("probe meter");
        if (host.Status().RingBytesTotal == ring) throw new LabException("no byte went through a ring");
        return [.. ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
    }

    private static string Address(LabDescription hosts, string container) => hosts.Hosts[0].Containers.Single(each => each.Name == container).Address4;

    private static void Print(IReadOnlyList<RateRow> rows)
    {
        Table table = new() { Border = TableBorder.Rounded };
        foreach (string head in (string[])["limited", "Mbit/s", "streams", "mean", "least", "most", "farthest second", "target", ""]) table.AddColumn(new TableColumn(head));
        foreach (RateRow row in rows)
        {
            string[] cells =
            [
                row.Where, Text.Figure(row.Limit), $"{row.Streams}", Text.Figure(row.Mean), Text.Figure(row.Seconds.Min()), Text.Figure(row.Seconds.Max()),
                $"{row.Farthest.ToString("+0.00;-0.00", CultureInfo.InvariantCulture)} %", $"± {RateRow.Allowed} %", row.Reached ? "ok" : "missed",
            ];
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }
        Terminal.Create().Write(table);
    }
}
