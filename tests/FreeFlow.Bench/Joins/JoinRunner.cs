using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench.Joins;

/// <summary><c>make bench CASE=join</c>: the time from a connection's offer to its ring, on an idle machine and on a busy one.</summary>
internal static class JoinRunner
{
    internal const string Name = "join";
    private const string Connections = "200";
    private static readonly int[] s_loads = [0, 4, 16];

    internal static void Run()
    {
        int runs = (int)BenchRunner.Knob("BENCH_RUNS", 5, 1, 1000);
        using Testbed testbed = new(seconds: 1);
        Dictionary<int, List<double>> times = s_loads.ToDictionary(load => load, _ => new List<double>());
        Dictionary<int, int> without = s_loads.ToDictionary(load => load, _ => 0);
        for (int run = 1; run <= runs; run++)
        {
            foreach (int load in s_loads)
            {
                Progress.Show(Name, $"run {run} of {runs}, load {load}");
                double[] figures = Measure(testbed, load);
                times[load].AddRange(figures[..^1]);
                without[load] += (int)figures[^1];
            }
        }
        Progress.Clear();
        JoinRow[] rows = [.. s_loads.Select(load => new JoinRow(load, [.. times[load].Order()], without[load]))];
        Print(rows);
        var report = rows.Select(row => new { load = row.Load, connections = row.Microseconds.Count, without = row.Without, median = row.Milliseconds(0.5), p99 = row.Milliseconds(0.99) });
        File.WriteAllText(Path.Combine(Artifacts.Folder, "bench-join.json"), JsonSerializer.Serialize(report, new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    private static double[] Measure(Testbed testbed, int load)
    {
        using LabProcess burning = testbed.Pair.Second.Start(new CommandLine(Testbed.Probe, ["burn", load.ToString(CultureInfo.InvariantCulture)]));
        burning.WaitForOutput("burning", TimeSpan.FromSeconds(20));
        CommandLine join = new CommandLine(Testbed.Probe, ["join", testbed.Pair.First.Address4, testbed.NextPort().ToString(CultureInfo.InvariantCulture), Connections])
            .WithFreeFlow().With("FREEFLOW_OFFER_AFTER", "0");
        string output = testbed.Pair.First.Run(join, TimeSpan.FromMinutes(8)).Succeeded("probe join").Output;
        burning.Input.Dispose();
        _ = burning.Wait(TimeSpan.FromSeconds(20));
        return [.. output.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
    }

    private static void Print(IReadOnlyList<JoinRow> rows)
    {
        Table table = new() { Border = TableBorder.Rounded };
        foreach (string head in (string[])["processes that never sleep", "connections", "without a ring", "median ms", "p99 ms", "target", ""]) table.AddColumn(new TableColumn(head) { Alignment = Justify.Right });
        foreach (JoinRow row in rows)
            table.AddRow($"{row.Load}", $"{row.Microseconds.Count}", $"{row.Without}", Text.Figure(row.Milliseconds(0.5)), Text.Figure(row.Milliseconds(0.99)), $"≤ {JoinRow.Allowed} ms", row.Reached ? "ok" : "missed");
        Terminal.Create().Write(table);
    }
}
