using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.Suites.Running;

/// <summary>Runs suites and reports.</summary>
public static class SuiteRunner
{
    /// <summary>Runs the suite of that name ("name/part": the parts whose name begins so; null: all). Returns the exit code.</summary>
    internal static int Run(string? wanted)
    {
        if (wanted == "list")
        {
            foreach (Suite suite in Suite.All) Console.WriteLine($"{suite.Name,-14} {suite.About}");
            return 0;
        }
        string[] names = (wanted ?? "").Split('/', 2);
        Suite[] suites = Suite.All.Where(suite => names[0].Length == 0 || suite.Name == names[0]).ToArray();
        if (suites.Length == 0) throw new LabException($"No suite is called '{names[0]}'. There are: {string.Join(", ", Suite.All.Select(suite => suite.Name))}.");
        int width = Math.Clamp(int.TryParse(Environment.GetEnvironmentVariable("SUITE_JOBS"), out int jobs) ? jobs : 2, 1, 64);
        List<(Suite Suite, Comparison Comparison)> rows = [];
        foreach (Suite suite in suites)
        {
            Packages.Install(suite.Packages);
            suite.Prepare();
            string logs = Logs(suite);
            SuitePart[] parts = suite.Parts().Where(part => names.Length == 1 || part.Name.StartsWith(names[1], StringComparison.Ordinal)).ToArray();
            Comparison[] comparisons = parts.AsParallel().AsOrdered().WithDegreeOfParallelism(width).WithExecutionMode(ParallelExecutionMode.ForceParallelism)
                .WithMergeOptions(ParallelMergeOptions.NotBuffered).Select(part => Watched(suite, part, logs)).ToArray();
            rows.AddRange(comparisons.Select(comparison => (suite, comparison)));
        }
        SuiteReport.Print(rows);
        return rows.Count > 0 && rows.All(row => row.Comparison.Good) ? 0 : 1;
    }

    /// <summary>Folder for what a suite's commands write; what an earlier run left there is gone.</summary>
    public static string Logs(Suite suite)
    {
        string folder = Path.Combine(Artifacts.Folder, "suites", "logs", suite.Name);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        return Directory.CreateDirectory(folder).FullName;
    }

    private static Comparison Watched(Suite suite, SuitePart part, string logs)
    {
        Comparison comparison = Comparison.Of(part, logs);
        Console.WriteLine($"{suite.Name} {part.Name}: {comparison.Preloaded.Passed.Count()} of {comparison.Plain.Passed.Count()} pass{(comparison.Good ? "" : ", NOT GOOD")}");
        return comparison;
    }
}
