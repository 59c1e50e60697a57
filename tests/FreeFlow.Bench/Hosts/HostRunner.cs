using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Hosts;

/// <summary><c>make bench CASE=two-hosts</c>: overlay, host TCP and the fabric in turn, in the same run.</summary>
internal static class HostRunner
{
    private const string Name = "two-hosts";

    private static readonly (string Name, HostCase Case)[] s_cases = [("iperf3", new IperfAcross()), ("sockperf", new SockperfAcross()), ("many", new ManyAcross())];

    /// <summary>The names of its cases.</summary>
    internal static IEnumerable<string> Names => s_cases.Select(each => $"{Name}:{each.Name}");

    /// <summary>Measures those of <see cref="Names"/> that are <paramref name="chosen"/>.</summary>
    internal static void Run(Predicate<string> chosen)
    {
        int runs = (int)BenchRunner.Knob("BENCH_RUNS", 5, 1, 1000);
        using HostBed bed = new(BenchRunner.Knob("BENCH_SECONDS", 2, 0.1, 600));
        List<HostRow> rows = [];
        foreach ((string own, HostCase @case) in s_cases.Where(each => chosen($"{Name}:{each.Name}"))) rows.AddRange(Rows(@case, bed, runs, $"{Name}:{own}"));
        Progress.Clear();
        HostReport.Print(rows);
        HostReport.Write(rows, Path.Combine(Artifacts.Folder, "bench-two-hosts.json"));
    }

    private static IEnumerable<HostRow> Rows(HostCase @case, HostBed bed, int runs, string step)
    {
        HostRoad[] roads = Enum.GetValues<HostRoad>();
        Dictionary<HostRoad, List<HostSample>> samples = roads.ToDictionary(road => road, _ => new List<HostSample>());
        for (int run = 1; run <= runs; run++)
        {
            // Each round begins with another road, so that none always inherits the same one's heat.
            int first = run % roads.Length;
            foreach (HostRoad road in roads[first..].Concat(roads[..first]))
            {
                Progress.Show(step, $"run {run} of {runs}, {road.ToString().ToLowerInvariant()}");
                samples[road].Add(@case.Measure(bed, road));
            }
        }
        return Enumerable.Range(0, @case.Metrics.Length).Select(index => new HostRow(@case, index, samples)).ToArray();
    }
}
