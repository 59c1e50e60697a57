using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Every call that the library stands in for by its name, and that the kernel knows by a number, goes the same way when it is made by syscall(2).</summary>
public sealed partial class NumberedCallTests
{
    /// <summary>Names that the kernel's calls have not.</summary>
    private static readonly Dictionary<string, string> s_others = new()
    {
        ["pselect"] = "pselect6", ["sigaction"] = "rt_sigaction", ["_exit"] = "exit_group", ["_Exit"] = "exit_group", ["_Fork"] = "fork",
        // The kernel's call of that name ends a thread.
        ["exit"] = "exit_group",
    };

    [Test]
    public void EveryExportedNameWithANumberIsRoutedByIt()
    {
        Tools.Require("gcc", "nm");
        HashSet<string> numbered = [.. Numbered()], routed = [.. Routed()];
        string[] wanted = [.. Exported().Select(KernelName).Where(numbered.Contains).Distinct()];
        Assert.That(wanted, Has.Length.GreaterThan(45), "calls that have a number");
        Assert.That(wanted.Except(routed), Is.Empty, "interposed by name, but not by number");
    }

    private static string KernelName(string name) => s_others.TryGetValue(name, out string? other) ? other : name.StartsWith("__", StringComparison.Ordinal) ? name[2..] : name;

    private static IEnumerable<string> Exported() =>
        Place.Host.Run(new CommandLine("nm", "-D", "--defined-only", Artifacts.PreloadLibrary)).Succeeded("nm").Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[^1]);

    private static IEnumerable<string> Numbered()
    {
        string macros = Place.Host.Run(new CommandLine("gcc", "-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null")).Succeeded("gcc -E").Output;
        return Macro().Matches(macros).Select(match => match.Groups[1].Value);
    }

    private static IEnumerable<string> Routed()
    {
        string generated = Path.Combine(Artifacts.Root, "artifacts", "obj", "exports", "trampolines.c"), written = Path.Combine(Artifacts.Root, "shim", "native", "raw.c");
        return new[] { generated, written }.SelectMany(file => Case().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value);
    }

    [GeneratedRegex(@"^#define __NR_(\w+) ", RegexOptions.Multiline)]
    private static partial Regex Macro();

    [GeneratedRegex(@"\bcase (?:SYS|__NR)_(\w+):")]
    private static partial Regex Case();
}
