using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>A wrong, missing, dead or strange router socket: the kernel path for everything, silence, and one line for who asks.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class MissingRouterTests
{
    private Stage _stage = null!;

    [OneTimeSetUp]
    public void SetUp()
    {
        Tools.Require(Tools.Python);
        _stage = new Stage(Mixture.RouterAbsent);
        File.WriteAllText(Path.Combine(_stage.Folder, "file"), "not a socket");
    }

    [OneTimeTearDown]
    public void TearDown() => _stage?.Dispose();

    private static readonly string?[] s_sockets = [null, "/nonexistent/router.sock", "FOLDER/file", "FOLDER", "", "relative.sock", new string('x', 300), "/dev/null"];

    [TestCaseSource(nameof(s_sockets))]
    public void NothingIsSaid(string? socket)
    {
        CompletedProcess run = Stream(socket, debug: false);
        Assert.That((run.ExitCode, run.Output, run.Error), Is.EqualTo((0, "transferred\nok\n", "")));
    }

    [TestCaseSource(nameof(s_sockets))]
    public void OneLineIsSaidToWhoAsks(string? socket)
    {
        CompletedProcess run = Stream(socket, debug: true);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, "transferred\nok\n")));
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Contains("router", StringComparison.Ordinal)).ToArray();
        Assert.That(lines, Has.Length.EqualTo(1), run.Error);
        Assert.That(lines[0], Does.Contain("freeflow").IgnoreCase);
        if (socket is { Length: > 0 and < 100 }) Assert.That(lines[0], Does.Contain(Actual(socket)), "the line names the value");
    }

    private CompletedProcess Stream(string? socket, bool debug)
    {
        // Standard input is /dev/null: the program closes as soon as all is transferred.
        CommandLine command = Tools.PythonProgram("stream.py", "threads", "127.0.0.1", $"{20_000 + Random.Shared.Next(10_000)}", "1000000", "1", "poll");
        command = _stage.AsServer(new CommandLine("sh", ["-c", "exec \"$@\" < /dev/null", "sh", command.Program, .. command.Arguments]));
        if (socket is not null) command = command.With("FREEFLOW_SOCKET", Actual(socket));
        return _stage.Server.Run(debug ? command.With("FREEFLOW_DEBUG", "1") : command);
    }

    private string Actual(string socket) => socket.Replace("FOLDER", _stage.Folder, StringComparison.Ordinal);
}
