using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Calls go down: projects as docs/architecture.md says, folders of one project in its order, but for what is
/// listed here.
/// </summary>
public sealed partial class DependencyTests
{
    private static readonly string s_architecture = File.ReadAllText(Path.Combine(Artifacts.Root, "docs", "architecture.md"));

    /// <summary>Folders that still use one above them. What is mended leaves this list, and none is added.</summary>
    private static readonly string[] s_upwards =
    [
        "Router: Fabric.Journal to Sessions", "Router: Fabric.Streams to Sessions", "Router: Pairing to Fabric.Links",
        "Router: Pairing to Sessions", "Router: Sessions to Observe", "Router: Verbs to Sessions",
        "Shim: Control to Sockets", "Shim: Memory to Readiness", "Shim: Memory to Sockets", "Shim: Native to Sockets", "Shim: Readiness to Exports",
        "Shim: Readiness to Uring", "Shim: Sockets to Exports", "Shim: Sockets to Readiness", "Shim: Sockets to Uring", "Shim: Uring to Exports",
    ];

    [Test]
    public void ProjectsUseWhatTheTableSays()
    {
        const string Row = @"^\| `[a-z/]+/(?:FreeFlow\.)?(\w+)` \|.*\| (.*) \|$";
        Dictionary<string, string> table = Regex.Matches(s_architecture, Row, RegexOptions.Multiline)
            .ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value);
        List<string> seen = [];
        foreach (string file in Projects())
        {
            string name = Path.GetFileNameWithoutExtension(file)["FreeFlow.".Length..];
            string[] uses = [.. Reference().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value).Order()];
            string told = table.TryGetValue(name == "Lab" ? "lab" : name, out string? row) ? row : throw new AssertionException($"{name} is not in the table");
            string[] words = told.Replace("the laboratory", "Lab", StringComparison.Ordinal).Split(", ");
            string[] may = [.. words.Where(word => word is not ("–" or "nothing" or "libc")).Order()];
            if (!uses.SequenceEqual(may)) seen.Add($"{name}: uses {string.Join(", ", uses)}; the table says {string.Join(", ", may)}");
        }
        Assert.That(seen, Is.Empty);
    }

    [TestCase("Router", "router/FreeFlow.Router")]
    [TestCase("Shim", "shim/FreeFlow.Shim")]
    [TestCase("Locations", "router/FreeFlow.Locations")]
    [TestCase("Hunter", "hunter/FreeFlow.Hunter")]
    [TestCase("Contract", "shim/FreeFlow.Contract")]
    public void FoldersUseOnlyThoseBelowThem(string project, string path)
    {
        Match listed = Regex.Match(s_architecture, $@"^- `FreeFlow\.{project}`: (.*)\.$", RegexOptions.Multiline);
        Assert.That(listed.Success, "the order of its folders is not told");
        string[] order = [.. Quoted().Matches(listed.Groups[1].Value).Select(match => match.Groups[1].Value)];
        string root = Path.Combine(Artifacts.Root, path);
        SortedSet<string> upwards = [];
        foreach (string file in Sources(root))
        {
            string folder = Path.GetRelativePath(root, Path.GetDirectoryName(file)!).Replace('/', '.');
            if (folder == ".") continue;
            Assert.That(order, Does.Contain(folder), "a folder that the order lacks");
            string uses = $@"^using (?:static )?FreeFlow\.{project}\.([\w.]+);";
            foreach (Match use in Regex.Matches(File.ReadAllText(file), uses, RegexOptions.Multiline))
            {
                string used = use.Groups[1].Value;
                if (Array.IndexOf(order, used) is >= 0 and var at && at < Array.IndexOf(order, folder)) upwards.Add($"{project}: {folder} to {used}");
            }
        }
        Assert.That(upwards, Is.EquivalentTo(s_upwards.Where(known => known.StartsWith(project + ":", StringComparison.Ordinal))));
    }

    private static IEnumerable<string> Projects() => new[] { "shim", "router", "hunter", "integration" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Artifacts.Root, folder), "*.csproj", SearchOption.AllDirectories));

    private static IEnumerable<string> Sources(string root) => Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
        .Where(file => !Path.GetRelativePath(root, file).Split('/').Any(part => part is "bin" or "obj"));

    [GeneratedRegex(@"<ProjectReference Include=""[^""]*/FreeFlow\.(\w+)\.csproj""")]
    private static partial Regex Reference();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Quoted();
}
