using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>docs/compatibility.md names every call that the library stands in for and every reason that the status can show, and no others.</summary>
public sealed partial class CompatibilityPageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(Artifacts.Root, "docs", "compatibility.md"));
    private static readonly string s_verbsPage = File.ReadAllText(Path.Combine(Artifacts.Root, "docs", "verbs.md"));

    [Test]
    public void EveryExportedNameIsInACallTable()
    {
        Assert.That(Exported().Where(name => !IsOfVerbs(name)).Except(Calls().SelectMany(row => row.Names)), Is.Empty, "exported, but not on the page");
    }

    [Test]
    public void CallsOfVerbsAreThoseOfTheirPage() => Assert.That(
        Rows("Calls", s_verbsPage).SelectMany(cells => Quoted().Matches(cells[0])).Select(match => match.Groups[1].Value),
        Is.EquivalentTo(Exported().Where(IsOfVerbs)));

    [Test]
    public void EveryCallOfThePageIsExportedUnlessItSaysOtherwise()
    {
        HashSet<string> exported = [.. Exported()];
        foreach ((string[] names, string where) in Calls())
        {
            bool interposed = where != "not interposed";
            foreach (string name in names) Assert.That(exported.Contains(name), Is.EqualTo(interposed), $"{name}: '{where}'");
        }
    }

    [Test]
    public void ReasonsAreThoseOfTheContract()
    {
        string source = File.ReadAllText(Path.Combine(Artifacts.Root, "shim", "FreeFlow.Contract", "Reason.cs"));
        string[] known = Member().Matches(source).Select(match => match.Groups[1].Value).Where(name => name != "None").ToArray();
        Assert.That(Rows("Reasons").Select(cells => cells[0].Trim('*')), Is.EqualTo(known));
        Assert.That(Mention().Matches(s_page).Select(match => match.Groups[1].Value).Distinct(), Is.SubsetOf(known), "reasons that are mentioned");
    }

    private static IEnumerable<string> Exported()
    {
        Tools.Require("nm");
        string symbols = Place.Host.Run(new CommandLine("nm", "-D", "--defined-only", Artifacts.PreloadLibrary)).Succeeded("nm").Output;
        return symbols.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[^1]).Where(name => !name.StartsWith("ff_", StringComparison.Ordinal));
    }

    private static IEnumerable<(string[] Names, string Where)> Calls() =>
        Rows("Calls").Select(cells => (Quoted().Matches(cells[0]).Select(match => match.Groups[1].Value).ToArray(), cells[1])).Where(row => row.Item1.Length > 0);

    private static bool IsOfVerbs(string name) =>
        ((string[])["ibv_", "_ibv_", "rdma_"]).Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Cells of the table rows below a heading of the second level.</summary>
    private static IEnumerable<string[]> Rows(string heading, string? page = null)
    {
        page ??= s_page;
        string text = page[page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal)..];
        int end = text.IndexOf("\n## ", 1, StringComparison.Ordinal);
        return text[..(end < 0 ? text.Length : end)].Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)).Where(cells => cells[0] is not ("call" or "reason"));
    }

    [GeneratedRegex(@"^    (\w+) = \d+,", RegexOptions.Multiline)]
    private static partial Regex Member();

    [GeneratedRegex(@"\*([A-Z][a-z]+[A-Z]\w+|Exec)\*")]
    private static partial Regex Mention();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
