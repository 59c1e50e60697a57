using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Packages;

/// <summary>
/// What is in the packages: as the distributions' checkers want it, the same from the same programs, with pages and completions that know every
/// option.
/// </summary>
[TestFixture]
public sealed class PackageContentTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    [Test]
    public void LintianHasNothingToSay()
    {
        Tools.Require("lintian");
        Assert.That(Shell($"lintian --allow-root --info --pedantic '{PackageFile.Deb}'"), Is.Empty);
        // A package of symbols cannot bring overrides; deb/lintian-overrides has the reason for this one.
        string symbols = Shell($"lintian --allow-root --info --pedantic --suppress-tags bogus-mail-host '{PackageFile.DebOfSymbols}'");
        Assert.That(symbols, Is.Empty);
    }

    [Test]
    public void RpmlintHasNothingToSay()
    {
        Tools.Require("rpmlint");
        string settings = Path.Combine(Artifacts.Root, "rpm", "rpmlint.toml");
        string told = Shell($"rpmlint -c '{settings}' '{PackageFile.Rpm}' '{PackageFile.RpmOfSymbols}' || true");
        Assert.That(told, Does.Contain(" 2 packages ").And.Contain(" 0 errors, 0 warnings"));
    }

    [Test]
    public void TheSameProgramsMakeTheSamePackagesInAnotherFolder()
    {
        Tools.Require("dpkg-deb", "rpmbuild");
        using Scratch scratch = new();
        string packages = Path.Combine(scratch.Folder, "packages");
        // Files of another hour, in another folder.
        Shell($"cd '{scratch.Folder}' && mkdir packages another && cp -r '{PackageFile.Folder}'/tree '{PackageFile.Folder}'/symbols another");
        foreach (string kind in (string[])["deb", "rpm"])
            Shell($"cd '{scratch.Folder}' && '{Artifacts.Root}/{kind}/build.sh' another/tree another/symbols packages");
        foreach (string package in (string[])[PackageFile.Deb, PackageFile.DebOfSymbols, PackageFile.Rpm, PackageFile.RpmOfSymbols])
            Assert.That(Hash(Path.Combine(packages, Path.GetFileName(package))), Is.EqualTo(Hash(package)), Path.GetFileName(package));
    }

    [TestCaseSource(nameof(Binaries))]
    public void ABinaryIsTheSameFromAnyFolder(string path)
    {
        byte[] content = File.ReadAllBytes(Path.Combine(Artifacts.Folder, "bin", Path.GetFileName(path)));
        int at = content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Artifacts.Root + "/"));
        Assert.That(at, Is.Negative, "it names the folder it was built in");
    }

    [TestCaseSource(nameof(Binaries))]
    public void ABinaryIsStrippedAndHardenedAndItsSymbolsAreInTheOtherPackage(string path)
    {
        string told = Shell($"readelf --wide --program-headers --dynamic --sections --notes '{PackageFile.Folder}/tree{path}'");
        Assert.That(told, Does.Contain("GNU_RELRO").And.Match(@"\bNOW\b").And.Not.Contain(".symtab").And.Not.Contain(".debug_"));
        string id = Regex.Match(told, "Build ID: ([0-9a-f]+)").Groups[1].Value;
        string symbols = $"/usr/lib/debug/.build-id/{id[..2]}/{id[2..]}.debug";
        string sections = Shell($"readelf --wide --sections '{PackageFile.Folder}/symbols{symbols}'");
        Assert.That(sections, Does.Contain(".symtab").And.Contain(".debug_info"));
        Assert.That(Shell($"dpkg-deb --contents '{PackageFile.DebOfSymbols}'"), Does.Contain(symbols));
        Assert.That(Shell($"rpm --query --list --package '{PackageFile.RpmOfSymbols}'"), Does.Contain(symbols));
    }

    [TestCase("freeflow", "freeflow.1")]
    [TestCase("freeflow-router", "freeflow-router.8")]
    [TestCase("freeflow-hunter", "freeflow-hunter.8")]
    public void TheManualPageHasEveryOptionOfTheHelpAndNoOther(string program, string page)
    {
        string help = Help(program);
        string manual = File.ReadAllText(Path.Combine(Artifacts.Root, "packaging", "man", page));
        Assert.That(Options(manual.Replace("\\-", "-", StringComparison.Ordinal)), Is.EquivalentTo(Options(help)));
    }

    /// <summary>What completion for the shells is written by hand has every command and option of the program's own.</summary>
    [TestCase("freeflow.bash", "--{0}")]
    [TestCase("freeflow.fish", "-l {0}")]
    [TestCase("_freeflow", "--{0}[")]
    public void CompletionKnowsEveryCommandAndOption(string file, string option)
    {
        string text = File.ReadAllText(Completion(file));
        foreach (string name in Options(Help("freeflow")).Except(["--help", "--version"]))
            Assert.That(text, Does.Contain(string.Format(CultureInfo.InvariantCulture, option, name[2..])));
        foreach (string name in (string[])[.. Commands(), .. Commands("lab")])
            Assert.That(text, Does.Match($@"\b{name}\b"));
    }

    [TestCase("--fabric-po", ExpectedResult = "--fabric-port")]
    [TestCase("--max-r", ExpectedResult = "--max-ring-bytes-per-user --max-rings-per-user")]
    public string BashCompletesTheRouterByAskingIt(string word)
    {
        const string Script = """. "$0"; COMP_WORDS=(freeflow-router "$1"); COMP_CWORD=1; _freeflow_daemon "$2"; echo "${COMPREPLY[*]}" """;
        return Run("bash", "--norc", "-c", Script, Completion("freeflow-router.bash"), word, Artifacts.Binary("freeflow-router")).Trim();
    }

    [Test]
    public void ManualPagesAreReadWithoutAWarning()
    {
        Tools.Require("groff");
        foreach (string page in Directory.EnumerateFiles(Path.Combine(Artifacts.Root, "packaging", "man")))
        {
            CompletedProcess groff = Place.Host.Run(new CommandLine("groff", "-man", "-ww", "-Tascii", page)).Succeeded(page);
            Assert.That(groff.Error, Is.Empty, page);
        }
    }

    [TestCase("st", ExpectedResult = "status")]
    [TestCase("status --j", ExpectedResult = "--json")]
    [TestCase("lab sl", ExpectedResult = "slow")]
    [TestCase("run --rou", ExpectedResult = "--router")]
    [TestCase("run -- freeflow-no-such", ExpectedResult = "")]
    public string BashCompletes(string line)
    {
        const string Script = """. "$0"; COMP_WORDS=(freeflow "$@"); COMP_CWORD=$#; _freeflow; echo "${COMPREPLY[*]}" """;
        return Run("bash", ["--norc", "-c", Script, Completion("freeflow.bash"), .. line.Split(' ')]).Trim();
    }

    [TestCase("st", ExpectedResult = "status")]
    [TestCase("status --j", ExpectedResult = "--json")]
    [TestCase("lab sl", ExpectedResult = "slow")]
    [TestCase("run --rou", ExpectedResult = "--router")]
    public string FishCompletes(string line)
    {
        Tools.Require("fish");
        using Scratch home = new();
        const string Script = """source $argv[1]; complete -C "freeflow $argv[2]" """;
        string told = Run("env", $"HOME={home.Folder}", "fish", "--no-config", "-c", Script, Completion("freeflow.fish"), line);
        return told.Split('\t')[0].Trim();
    }

    /// <summary>zsh's own functions stand aside, and say what they have been given.</summary>
    [TestCase("", "status:list")]
    [TestCase("status ", "--json[")]
    [TestCase("lab ", "(up down status exec cut mend slow kill start)")]
    [TestCase("run ", "--router[")]
    public void ZshCompletes(string line, string expected)
    {
        Tools.Require("zsh");
        const string Script = """
            _describe() { print -rl -- ${(P)2} }
            _arguments() { print -rl -- "$@" }
            words=(freeflow "$@"); CURRENT=$#words
            . "$0"
            """;
        Assert.That(Run("zsh", ["-f", "-c", Script, Completion("_freeflow"), .. line.Split(' ')]), Does.Contain(expected));
    }

    private static IEnumerable<string> Binaries() =>
    [
        "/usr/bin/freeflow", "/usr/sbin/freeflow-router", "/usr/sbin/freeflow-hunter",
        "/usr/lib/freeflow/libfreeflow.so", "/usr/lib/freeflow/libfreeflow-core.so",
    ];

    /// <summary>What the program prints of itself and of its commands.</summary>
    private static string Help(string program) => program == "freeflow"
        ? string.Concat(Commands().Select(command => Help(program, command)).Prepend(Help(program, [])))
        : Help(program, []);

    private static string Help(string program, params string[] words) =>
        Place.Host.Run(new CommandLine(Artifacts.Binary(program), [.. words, "--help"])).Succeeded("--help").Output;

    /// <summary>The commands of freeflow, or of one of its commands, by its own help.</summary>
    private static string[] Commands(params string[] words)
    {
        string help = Help("freeflow", words);
        int at = help.IndexOf("Commands:\n", StringComparison.Ordinal);
        Assert.That(at, Is.Positive, help);
        return [.. Regex.Matches(help[at..], @"^  ([a-z]+)", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
    }

    private static SortedSet<string> Options(string text) =>
        [.. Regex.Matches(text, @"(?<![-\w])--[a-z][a-z-]*[a-z]").Select(match => match.Value)];

    private static string Completion(string name) => Path.Combine(Artifacts.Root, "packaging", "completion", name);

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));

    private static string Shell(string script) => Run("sh", "-ec", script);

    private static string Run(string program, params string[] arguments) =>
        Place.Host.Run(new CommandLine(program, arguments), s_patience).Succeeded(program).Output;

    /// <summary>A folder that goes with the test.</summary>
    private sealed class Scratch : IDisposable
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("freeflow-package.").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
