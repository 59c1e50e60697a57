using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Reading;

/// <summary>Results that a command prints, a line a test.</summary>
internal static partial class Lines
{
    /// <summary>The Test Anything Protocol, as Perl's and GLib's tests speak it: "ok 3 - name", "not ok 4 name", "ok 5 # SKIP".</summary>
    internal static IReadOnlyDictionary<string, Outcome> Tap(string output)
    {
        Dictionary<string, Outcome> results = [];
        foreach (Match match in TapLine().Matches(output))
        {
            bool skipped = match.Groups["note"].Value.StartsWith("skip", StringComparison.OrdinalIgnoreCase);
            // Tests without a name are told apart by their number.
            string name = match.Groups["name"].Value.Trim() is { Length: > 0 } given ? given : match.Groups["number"].Value;
            Add(results, name, skipped ? Outcome.Skipped : match.Groups["not"].Success ? Outcome.Failed : Outcome.Passed);
        }
        return results;
    }

    /// <summary>Results by three patterns, each with a group "name".</summary>
    internal static IReadOnlyDictionary<string, Outcome> Matching(string output, string passed, string failed)
    {
        Dictionary<string, Outcome> results = [];
        foreach (Match match in Regex.Matches(output, failed, RegexOptions.Multiline)) Add(results, match.Groups["name"].Value.Trim(), Outcome.Failed);
        foreach (Match match in Regex.Matches(output, passed, RegexOptions.Multiline)) Add(results, match.Groups["name"].Value.Trim(), Outcome.Passed);
        return results;
    }

    /// <summary>Twisted's trial with its verbose reporter: modules and classes by indentation, "test_name ...   [OK]".</summary>
    internal static IReadOnlyDictionary<string, Outcome> Trial(string output)
    {
        Dictionary<string, Outcome> results = [];
        string module = "", group = "";
        foreach (string line in output.Split('\n').TakeWhile(line => !line.StartsWith("=====", StringComparison.Ordinal)))
        {
            int depth = line.Length - line.TrimStart(' ').Length;
            Match test = TrialLine().Match(line);
            if (test.Success)
                Add(results, $"{module}.{group}.{test.Groups["name"].Value}", test.Groups["outcome"].Value switch { "OK" => Outcome.Passed, "SKIPPED" or "TODO" => Outcome.Skipped, _ => Outcome.Failed });
            else if (depth == 0 && line.Length > 0) module = line.Trim();
            else if (depth == 2) group = line.Trim();
        }
        return results;
    }

    /// <summary>A name that comes again is counted, so that none hides another.</summary>
    private static void Add(Dictionary<string, Outcome> results, string name, Outcome outcome)
    {
        string unique = name;
        for (int i = 2; results.ContainsKey(unique); i++) unique = $"{name} ({i})";
        results[unique] = outcome;
    }

    [GeneratedRegex(@"^\s*(?<not>not )?ok\b[ \t]*(?<number>\d*)[ \t]*-?[ \t]*(?<name>[^#\n]*)(#[ \t]*(?<note>.*))?$", RegexOptions.Multiline)]
    private static partial Regex TapLine();

    [GeneratedRegex(@"^\s+(?<name>\w+) \.\.\..*\[(?<outcome>[A-Z]+)\]$")]
    private static partial Regex TrialLine();
}
