using System;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace FreeFlow.Router.Tests;

/// <summary>docs/security.md names a test for each of its sentences: it must be there, or the sentence is only a wish.</summary>
public partial class SecurityPageTests
{
    [Test]
    public void EveryTestThatIsNamedIsThere()
    {
        string root = Root();
        string[] named = [.. TestName().Matches(File.ReadAllText(Path.Combine(root, "docs", "security.md"))).Select(match => match.Value.Trim('`')).Distinct()];
        Assert.That(named, Has.Length.GreaterThan(20), "the page names tests");
        ILookup<string, string> sources = Directory.EnumerateFiles(Path.Combine(root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal)).ToLookup(path => Path.GetFileNameWithoutExtension(path), File.ReadAllText);
        Assert.That(named.Where(name => !IsThere(sources, name)), Is.Empty);
    }

    private static bool IsThere(ILookup<string, string> sources, string name)
    {
        string[] parts = name.Split('.');
        return sources[parts[0]].Any(source => Regex.IsMatch(source, $@"\[Test[^\]]*\](\s*\[[^\]]*\])*\s*public [^(]*\b{parts[1]}\("));
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "freeflow.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("no freeflow.sln above the tests");
    }

    [GeneratedRegex(@"`[A-Z][A-Za-z]*Tests\.[A-Z][A-Za-z0-9]*`")]
    private static partial Regex TestName();
}
