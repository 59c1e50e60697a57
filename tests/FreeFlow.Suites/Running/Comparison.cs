using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.Suites.Running;

/// <summary>
/// A part run plain and preloaded. A test that passes plain and not preloaded gets a second chance, both ways, since some fail now and then by
/// themselves; what it does then is final, and it is reported as unsteady.
/// </summary>
public sealed class Comparison
{
    private Comparison(SuitePart part) => Part = part;

    /// <summary>What was run.</summary>
    public SuitePart Part { get; }

    /// <summary>The plain run.</summary>
    public PartRun Plain { get; private init; } = null!;

    /// <summary>The preloaded run.</summary>
    public PartRun Preloaded { get; private init; } = null!;

    /// <summary>Tests that pass plain and not preloaded, twice.</summary>
    public string[] Lost { get; private set; } = [];

    /// <summary>The same, but for a reason that the suite names.</summary>
    public string[] Known { get; private set; } = [];

    /// <summary>Tests that differed once only.</summary>
    public string[] Unsteady { get; private set; } = [];

    /// <summary>Tests that pass preloaded and not plain.</summary>
    public string[] Won { get; private init; } = [];

    /// <summary>What is wrong with the runs as a whole; empty when nothing is.</summary>
    public string Problem { get; private init; } = "";

    /// <summary>True when the preloaded run shows no less than the plain one.</summary>
    public bool Good => Lost.Length == 0 && Problem.Length == 0;

    /// <summary>Runs the part both ways at once, and again where they differ.</summary>
    public static Comparison Of(SuitePart part, string logs)
    {
        (PartRun plain, PartRun preloaded) = Both(part, logs, "");
        string[] lost = Lacking(plain, preloaded);
        Comparison comparison = new(part)
        {
            Plain = plain,
            Preloaded = preloaded,
            Won = preloaded.Passed.Except(plain.Passed).Order(StringComparer.Ordinal).ToArray(),
            Problem = Trouble(part, plain, preloaded),
        };
        comparison.Known = lost.Where(comparison.IsKnown).ToArray();
        lost = lost.Except(comparison.Known).ToArray();
        if (lost.Length == 0) return comparison;
        (PartRun plainAgain, PartRun preloadedAgain) = Both(part, logs, ".again");
        comparison.Lost = preloadedAgain.Problem.Length > 0 ? lost : lost.Intersect(Lacking(plainAgain, preloadedAgain)).ToArray();
        comparison.Unsteady = lost.Except(comparison.Lost).ToArray();
        return comparison;
    }

    private static (PartRun Plain, PartRun Preloaded) Both(SuitePart part, string logs, string suffix)
    {
        // At once, because most tests sleep; the second time one after the other, since two runs may have met in a name under /tmp (their pids are the same) or in time.
        PartRun[] runs = new[] { false, true }.AsParallel().AsOrdered().WithDegreeOfParallelism(suffix.Length == 0 ? 2 : 1).WithExecutionMode(System.Linq.ParallelExecutionMode.ForceParallelism)
            .Select(preloaded => !preloaded && part.Expected is not null ? PartRun.Expecting(part) : PartRun.Of(part, preloaded)).ToArray();
        File.WriteAllText(Path.Combine(logs, $"{part.Name}{suffix}.plain.log"), runs[0].Output);
        File.WriteAllText(Path.Combine(logs, $"{part.Name}{suffix}.freeflow.log"), runs[1].Output);
        return (runs[0], runs[1]);
    }

    private static string[] Lacking(PartRun plain, PartRun preloaded) => plain.Passed.Except(preloaded.Passed).Order(StringComparer.Ordinal).ToArray();

    private static string Trouble(SuitePart part, PartRun plain, PartRun preloaded) =>
        plain.Problem.Length > 0 ? $"plain: {plain.Problem}"
        : preloaded.Problem.Length > 0 ? $"with FreeFlow: {preloaded.Problem}"
        : !plain.Passed.Any() ? "no test passes plain"
        : part.Expected is not null && Failures(preloaded) is { Length: > 0 } failures ? $"fails: {string.Join(", ", failures)}"
        : part.NeedsRing && preloaded.RingBytes == 0 ? "no byte went through a ring"
        : "";

    private static string[] Failures(PartRun run) => run.Results.Where(result => result.Value == Outcome.Failed).Select(result => result.Key).Order(StringComparer.Ordinal).ToArray();

    private bool IsKnown(string test) =>
        Part.Known.Keys.Any(known => known.EndsWith('*') ? test.StartsWith(known[..^1], StringComparison.Ordinal) : test == known);
}
