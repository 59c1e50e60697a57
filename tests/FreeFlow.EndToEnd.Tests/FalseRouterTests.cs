using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Somebody else than the host's router answers at its socket: a program shows it nothing, and goes on in the kernel. Where it may be the router, it is shown what a router is.</summary>
public sealed class FalseRouterTests
{
    private const uint Nobody = 65534;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private Stage _stage = null!;
    private int _folders;

    [OneTimeSetUp]
    public void SetUp()
    {
        Tools.Require(Tools.Python, "setpriv", "unshare");
        _stage = new Stage(Mixture.RouterAbsent).WaitingForTheJoin();
    }

    [OneTimeTearDown]
    public void TearDown() => _stage?.Dispose();

    /// <summary>A container's root, in a folder that was mounted writable by mistake: whatever it shows as its pid namespace, the program is not seen from there.</summary>
    [Test]
    public void RootOfAnotherContainerIsShownNothing(
        [Values("/proc/self/ns/pid", "/proc/self/ns/net", "/proc/self/ns/user", "/proc/self/ns/mnt", "/proc/self", "/dev/null", "/etc/passwd", "pipe", "socket", "memory", "nothing")] string shown)
    {
        string path = MakeFolder("755");
        using LabProcess router = _stage.Client.Start(FalseRouter(path, shown));
        Assert.That(ShownTo(router, path), Is.Zero);
    }

    [Test]
    public void RootOfANamespaceBelowTheProgramsIsShownNothing()
    {
        string path = MakeFolder("755");
        CommandLine command = FalseRouter(path, "/proc/self/ns/pid");
        using LabProcess router = _stage.Server.Start(new CommandLine("unshare", ["--pid", "--fork", "--mount-proc", "--kill-child", command.Program, .. command.Arguments]));
        Assert.That(ShownTo(router, path), Is.Zero);
    }

    [TestCase("755", 0u, false, Description = "a user who has found a way to answer in root's folder")]
    [TestCase("1777", 0u, false, Description = "a user who was there before the router")]
    [TestCase("777", Nobody, false, Description = "a folder of the user's own, that others can write")]
    [TestCase("775", Nobody, false, Description = "a folder of the user's own, that its group can write")]
    [TestCase("755", Nobody, true, Description = "a router of the user's own in the user's own folder")]
    public void AnotherUserIsShownNothing(string mode, uint owner, bool trusted)
    {
        string path = MakeFolder("1777");
        CommandLine command = FalseRouter(path, "/proc/self/ns/pid");
        using LabProcess router = _stage.Server.Start(new CommandLine("setpriv", [$"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", command.Program, .. command.Arguments]));
        router.WaitForOutput("listens", Patience);
        SetFolder(path, mode, owner);
        Assert.That(ShownTo(router, path), Is.EqualTo(trusted ? 1 : 0));
    }

    /// <summary>What makes the zeros above worth something.</summary>
    [Test]
    public void RootAboveAndBesideTheProgramIsTrusted([Values] bool above)
    {
        string path = MakeFolder("755");
        CommandLine command = FalseRouter(path, "/proc/self/ns/pid");
        using LabProcess router = above ? Place.Host.Start(command) : _stage.Server.Start(command);
        Assert.That(ShownTo(router, path), Is.EqualTo(1), "the family table");
    }

    /// <summary>Runs a program whose router this is; how many descriptors it has shown.</summary>
    private int ShownTo(LabProcess router, string path)
    {
        router.WaitForOutput("listens", Patience);
        CommandLine program = Tools.PythonProgram("stream.py", "threads", "127.0.0.1", $"{20_000 + Random.Shared.Next(10_000)}", "1000000", "1", "poll");
        program = _stage.AsServer(new CommandLine("sh", ["-c", "exec \"$@\" < /dev/null", "sh", program.Program, .. program.Arguments]));
        CompletedProcess run = _stage.Server.Run(program.With("FREEFLOW_SOCKET", path).With("FREEFLOW_DEBUG", "1"));
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, "transferred\nok\n")), run.Error);
        router.WaitForOutput("end", Patience);
        int shown = router.Output.Split('\n').Where(line => line.StartsWith("shown ", StringComparison.Ordinal)).Sum(line => int.Parse(line["shown ".Length..], null));
        Assert.That(run.Error.Contains($"who answers at {path} is not the host's router", StringComparison.Ordinal) || run.Error.Contains("does not know", StringComparison.Ordinal), Is.EqualTo(shown == 0), run.Error);
        return shown;
    }

    private static CommandLine FalseRouter(string path, string shown) => Tools.PythonProgram("false_router.py", path, shown);

    private string MakeFolder(string mode)
    {
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(_stage.Folder, $"{++_folders}")).FullName, "router.sock");
        SetFolder(path, mode, 0);
        return path;
    }

    private static void SetFolder(string path, string mode, uint owner)
    {
        string folder = Path.GetDirectoryName(path)!;
        using LabProcess change = Place.Host.Start(new CommandLine("sh", ["-c", "chown \"$1\" \"$3\" && chmod \"$2\" \"$3\"", "sh", $"{owner}", mode, folder]));
        Assert.That(change.Wait(Patience).ExitCode, Is.Zero);
    }
}
