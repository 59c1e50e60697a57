using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Spectre.Console;

namespace FreeFlow.Suites.Running;

/// <summary>The result for people: a table, and below it every test that differs.</summary>
public static class SuiteReport
{
    private const int FileWidth = 160;

    /// <summary>Prints both.</summary>
    internal static void Print(IReadOnlyList<(Suite Suite, Comparison Comparison)> rows)
    {
        bool file = Console.IsOutputRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = file ? AnsiSupport.No : AnsiSupport.Detect, Interactive = InteractionSupport.No });
        if (file) console.Profile.Width = FileWidth;
        Table table = new() { Border = TableBorder.Rounded };
        string[] heads = ["suite", "part", "pass plain", "pass with FreeFlow", "lost", "known", "unsteady", "joined", "bytes in rings", "s plain", "s FreeFlow", ""];
        foreach (string head in heads) table.AddColumn(new TableColumn(head) { Alignment = Array.IndexOf(heads, head) is < 2 or 11 ? Justify.Left : Justify.Right });
        foreach ((Suite suite, Comparison comparison) in rows) table.AddRow(Cells(suite.Name, comparison).Select(Markup.Escape).ToArray());
        console.Write(table);
        foreach ((Suite suite, Comparison comparison) in rows) Differences($"{suite.Name}/{comparison.Part.Name}", comparison);
        Console.WriteLine($"{rows.Sum(row => row.Comparison.Plain.Passed.Count())} tests pass plain, {rows.Sum(row => row.Comparison.Preloaded.Passed.Count())} with FreeFlow; "
            + $"{rows.Sum(row => row.Comparison.Lost.Length)} lost, {rows.Sum(row => row.Comparison.Known.Length)} known, {rows.Sum(row => row.Comparison.Unsteady.Length)} unsteady, "
            + $"{rows.Count(row => row.Comparison.Problem.Length > 0)} parts with a problem");
    }

    /// <summary>What differs, a line each.</summary>
    public static IEnumerable<string> Lines(Comparison comparison)
    {
        if (comparison.Problem.Length > 0) yield return comparison.Problem;
        foreach (string test in comparison.Lost) yield return $"lost: {test}";
        foreach (string test in comparison.Known) yield return $"known: {test}";
        foreach (string test in comparison.Unsteady) yield return $"unsteady: {test}";
        foreach (string test in comparison.Won) yield return $"passes with FreeFlow only: {test}";
    }

    private static void Differences(string name, Comparison comparison)
    {
        foreach (string line in Lines(comparison)) Console.WriteLine($"{name}: {line}");
    }

    private static IEnumerable<string> Cells(string suite, Comparison comparison) =>
    [
        suite, comparison.Part.Name, Number(comparison.Plain.Passed.Count()), Number(comparison.Preloaded.Passed.Count()), Number(comparison.Lost.Length),
        Number(comparison.Known.Length), Number(comparison.Unsteady.Length), Number(comparison.Preloaded.Joined), Number(comparison.Preloaded.RingBytes),
        Number((long)comparison.Plain.Elapsed.TotalSeconds), Number((long)comparison.Preloaded.Elapsed.TotalSeconds), comparison.Good ? "same" : "DIFFERS",
    ];

    private static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
