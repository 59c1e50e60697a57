using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Bench.Cases;
using FreeFlow.Bench.Hosts;
using FreeFlow.Bench.Joins;
using FreeFlow.Bench.Rates;
using FreeFlow.Bench.Scale;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Measuring;

/// <summary>Runs cases, the roads of each taking turns, and reports.</summary>
internal static class BenchRunner
{
    /// <summary>Measures the cases whose names begin with <paramref name="name"/> (null or empty: all). Returns the exit code.</summary>
    internal static int Run(string? name)
    {
        BenchCase[] all = CaseList.All();
        string[] names = [.. all.Select(@case => @case.Name), .. HostRunner.Names, RateRunner.Name, ScaleRunner.Name, JoinRunner.Name];
        if (name == "list")
        {
            foreach (string each in names) Console.WriteLine(each);
            return 0;
        }
        bool Chosen(string each) => each.StartsWith(name ?? "", StringComparison.Ordinal);
        if (!names.Any(Chosen)) throw new LabException($"No case begins with '{name}'. There are: {string.Join(", ", names)}.");
        if (HostRunner.Names.Any(Chosen)) HostRunner.Run(Chosen);
        if (Chosen(RateRunner.Name)) RateRunner.Run();
        if (Chosen(ScaleRunner.Name)) ScaleRunner.Run();
        if (Chosen(JoinRunner.Name)) JoinRunner.Run();
        BenchCase[] cases = all.Where(@case => Chosen(@case.Name)).ToArray();
        if (cases.Length == 0) return 0;
        int runs = (int)Knob("BENCH_RUNS", 5, 1, 1000);
        using Testbed testbed = new(Knob("BENCH_SECONDS", 2, 0.1, 600));
        List<BenchRow> rows = [];
        for (int i = 0; i < cases.Length; i++) rows.AddRange(Rows(cases[i], testbed, runs, $"[{i + 1}/{cases.Length}] {cases[i].Name}"));
        Progress.Clear();
        BenchReport.Print(rows);
        BenchReport.Write(rows, Path.Combine(Artifacts.Folder, "bench.json"));
        return 0;
    }

    private static IEnumerable<BenchRow> Rows(BenchCase @case, Testbed testbed, int runs, string step)
    {
        Dictionary<Road, List<Sample>> samples = @case.Roads.ToDictionary(road => road, _ => new List<Sample>());
        Progress.Show(step, "preparing");
        @case.Prepare(testbed);
        for (int run = 1; run <= runs; run++)
        {
            // Each round begins with another road, so that none always inherits the same one's heat.
            int first = run % @case.Roads.Length;
            foreach (Road road in @case.Roads[first..].Concat(@case.Roads[..first]))
            {
                Progress.Show(step, $"run {run} of {runs}, {road.ToString().ToLowerInvariant()}");
                samples[road].Add(@case.Measure(testbed, road));
            }
        }
        return Enumerable.Range(0, @case.Metrics.Length).Select(index => new BenchRow(@case, index, samples)).ToArray();
    }

    internal static double Knob(string name, double usual, double least, double most)
    {
        string? text = Environment.GetEnvironmentVariable(name);
        if (string.IsNullOrEmpty(text)) return usual;
        return double.TryParse(text, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most
            ? value
            : throw new LabException($"{name}={text} is no number from {least.ToString(CultureInfo.InvariantCulture)} to {most.ToString(CultureInfo.InvariantCulture)}.");
    }
}
