using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
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
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--quiet", "--router", "/some/where.sock", "--", "sh", "-c", "echo \"$LD_PRELOAD|$FREEFLOW_SOCKET|$1\"; exit 7", "sh", "--json");
        Assert.That(run.WaitForExit(), Is.EqualTo(7));
        Assert.That(run.Output, Is.EqualTo($"{Library}|/some/where.sock|--json"));
    }

    [Test]
    public void TheLibraryComesBeforeWhatIsPreloadedAlready()
    {
        string other = FindAnyLibrary();
        using TestProcess run = new("env", $"LD_PRELOAD={other}", Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory, "freeflow.dll"), "run", "--quiet", "--", "sh", "-c", "echo $LD_PRELOAD");
        Assert.That((run.WaitForExit(), run.Output), Is.EqualTo((0, $"{Library}:{other}")));
    }

    [Test]
    public void NothingOfTheRuntimeRemains()
    {
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--router", "/nowhere/router.sock", "--", "grep", "-E", "^(SigIgn|SigBlk|Threads)", "/proc/self/status");
        Assert.That(run.WaitForExit(), Is.Zero);
        string[] values = run.Output.Split('\n').Where(line => line.Contains('\t')).Select(line => line.Split('\t')[1]).ToArray();
        Assert.That(values[..2], Is.EqualTo(new[] { "1", "0000000000000000" }), "threads, blocked signals");
        // What the test's own parents ignore is inherited; the runtime's SIGPIPE must not be among it.
        const ulong pipe = 1UL << (13 - 1);
        Assert.That(Convert.ToUInt64(values[2], 16) & pipe, Is.Zero, "SIGPIPE is ignored");
    }

    [TestCase(127, "command not found", "no-such-command-anywhere")]
    [TestCase(126, "Permission denied", "/etc/passwd")]
    public void ACommandThatCannotRunIsReportedAsAShellDoes(int code, string words, string command)
    {
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--quiet", "--", command);
        Assert.That(run.WaitForExit(), Is.EqualTo(code));
        Assert.That(run.Output, Does.Contain(command).And.Contain(words).And.Not.Contain("\n"));
    }

    [TestCase("missing/router.sock", "its folder is missing", "-v /run/freeflow:/run/freeflow:ro")]
    [TestCase("router.sock", "start freeflow-router", "--router or FREEFLOW_SOCKET")]
    [TestCase("dead.sock", "no router answers", "start freeflow-router again")]
    [TestCase("file", "no router answers", "start freeflow-router again")]
    [TestCase("stream.sock", "is no router's socket", "--router or FREEFLOW_SOCKET")]
    public void ARouterThatIsNotThereIsToldInOneLine(string socket, string problem, string mend)
    {
        using SocketFolder folder = new();
        string path = Path.Combine(folder.Path, socket);
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--router", path, "--", "sh", "-c", "exit 7");
        Assert.That(run.WaitForExit(), Is.EqualTo(7));
        Assert.That(run.Output, Does.StartWith("freeflow: run: ").And.Contain(path).And.Contain(problem).And.Contain(mend).And.Not.Contain("\n"));
        Assert.That(run.Output, Does.EndWith("its connections stay in the kernel"));
        using TestProcess quiet = TestProcess.OfThisBuild("freeflow.dll", "run", "--quiet", "--router", path, "--", "sh", "-c", "exit 7");
        Assert.That((quiet.WaitForExit(), quiet.Output), Is.EqualTo((7, "")));
    }

    [Test]
    public void StrictProgramsAreToldWhatTheirConnectionsWillMeet()
    {
        using TestProcess run = TestProcess.OfThisBuild(["env", "FREEFLOW_STRICT=1"], "freeflow.dll", "run", "--router", "/nowhere/router.sock", "--", "true");
        Assert.That(run.WaitForExit(), Is.Zero);
        Assert.That(run.Output, Does.EndWith("FREEFLOW_STRICT=1 refuses its connections"));
    }

    /// <summary>Standard error that is full or read by nobody does not keep the command from running.</summary>
    [TestCase("2>/dev/full")]
    [TestCase("2>&1 >&3 | :")]
    public void NoStandardErrorKeepsTheCommandFromRunning(string redirection)
    {
        string run = $"'{Environment.ProcessPath}' '{Path.Combine(AppContext.BaseDirectory, "freeflow.dll")}' run --router /nowhere/router.sock -- echo ran";
        using TestProcess shell = new("sh", "-c", $"exec 3>&1; {run} {redirection}");
        Assert.That((shell.WaitForExit(), shell.Output), Is.EqualTo((0, "ran")));
    }

    [Test]
    public void NothingIsSaidWhereARouterIs()
    {
        using RouterUnderTest router = RouterUnderTest.Start();
        using TestProcess run = TestProcess.OfThisBuild("freeflow.dll", "run", "--router", router.SocketPath, "--", "echo", "ran");
        Assert.That((run.WaitForExit(), run.Output), Is.EqualTo((0, "ran")));
    }

    /// <summary>Sockets that are no router's.</summary>
    private sealed class SocketFolder : IDisposable
    {
        private readonly Socket _stream = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        public SocketFolder()
        {
            // .NET takes the file away when it closes the socket; a killed router leaves its own.
            using (Socket left = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified))
            {
                left.Bind(new UnixDomainSocketEndPoint(In("left.sock")));
                File.Move(In("left.sock"), In("dead.sock"));
            }
            File.WriteAllText(In("file"), "");
            _stream.Bind(new UnixDomainSocketEndPoint(In("stream.sock")));
            _stream.Listen();
        }

        public string Path { get; } = Directory.CreateTempSubdirectory("freeflow-run.").FullName;

        public void Dispose()
        {
            _stream.Dispose();
            Directory.Delete(Path, recursive: true);
        }

        private string In(string name) => System.IO.Path.Combine(Path, name);
    }

    private static string FindAnyLibrary() =>
        new[] { "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/usr/lib/libm.so.6" }.First(File.Exists);
}
