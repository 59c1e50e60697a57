using System;
using System.IO;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary><c>freeflow run</c> as a process. Another library stands in for the shim.</summary>
public class RunCommandTests
{
    private static readonly string Library = Path.Combine(AppContext.BaseDirectory, "libfreeflow.so");

    [OneTimeSetUp]
    public void OneTimeSetUp() => File.Copy(FindAnyLibrary(), Library, overwrite: true);

    [OneTimeTearDown]
    public void OneTimeTearDown() => File.Delete(Library);

    [Test]
    public void TheCommandGetsLibrarySocketAndItsArguments()
    {
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--router", "/some/where.sock", "--", "sh", "-c", "echo \"$LD_PRELOAD|$FREEFLOW_SOCKET|$1\"; exit 7", "sh", "--json");
        Assert.That(run.WaitForExit(), Is.EqualTo(7));
        Assert.That(run.Output, Is.EqualTo($"{Library}|/some/where.sock|--json"));
    }

    [Test]
    public void TheLibraryComesBeforeWhatIsPreloadedAlready()
    {
        string other = FindAnyLibrary();
        using TestProcess run = new("env", $"LD_PRELOAD={other}", Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory, "freeflow.dll"), "run", "--", "sh", "-c", "echo $LD_PRELOAD");
        Assert.That((run.WaitForExit(), run.Output), Is.EqualTo((0, $"{Library}:{other}")));
    }

    [Test]
    public void NothingOfTheRuntimeRemains()
    {
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--", "grep", "-E", "^(SigIgn|SigBlk|Threads)", "/proc/self/status");
        Assert.That(run.WaitForExit(), Is.Zero);
        string[] values = run.Output.Split('\n').Select(line => line.Split('\t')[1]).ToArray();
        Assert.That(values[..2], Is.EqualTo(new[] { "1", "0000000000000000" }), "threads, blocked signals");
        // What the test's own parents ignore is inherited; the runtime's SIGPIPE must not be among it.
        const ulong pipe = 1UL << (13 - 1);
        Assert.That(Convert.ToUInt64(values[2], 16) & pipe, Is.Zero, "SIGPIPE is ignored");
    }

    [TestCase(127, "command not found", "no-such-command-anywhere")]
    [TestCase(126, "Permission denied", "/etc/passwd")]
    public void ACommandThatCannotRunIsReportedAsAShellDoes(int code, string words, string command)
    {
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--", command);
        Assert.That(run.WaitForExit(), Is.EqualTo(code));
        Assert.That(run.Output, Does.Contain(command).And.Contain(words).And.Not.Contain("\n"));
    }

    private static string FindAnyLibrary() =>
        new[] { "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/usr/lib/libm.so.6" }.First(File.Exists);
}
