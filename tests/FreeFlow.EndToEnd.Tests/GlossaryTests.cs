using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>docs/glossary.md gives each word one meaning, and points at types that there are.</summary>
public sealed partial class GlossaryTests
{
    private static readonly string[] s_rows = [.. File.ReadLines(Path.Combine(Artifacts.Root, "docs", "glossary.md")).Where(line => Row().IsMatch(line))];

    [Test]
    public void EachWordStandsThereOnce() =>
        Assert.That(s_rows.Select(row => row.Split('|')[1].Trim()), Is.Unique.And.Not.Empty);

    [Test]
    public void EachRowNamesATypeThatIsThere()
    {
        HashSet<string> types = [.. new[] { "shim", "router", "hunter" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Artifacts.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetFileName(file).Split('.')[0])];
        foreach (string row in s_rows)
        {
            string[] named = [.. Quoted().Matches(row.Split('|')[3]).Select(match => match.Groups[1].Value)];
            Assert.That(named, Is.Not.Empty.And.SubsetOf(types), row);
        }
    }

    [GeneratedRegex(@"^\| (?!word \|)[^-]")]
    private static partial Regex Row();

    [GeneratedRegex("`(.*?)`")]
    private static partial Regex Quoted();
}
