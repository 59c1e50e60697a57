using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Each check of <c>freeflow doctor</c> with the fault made on purpose, and none without.</summary>
public sealed class DoctorTests
{
    private const string NoRouter = "/nonexistent/router.sock";

    private string _folder = "";

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("freeflow-doctor-").FullName;
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(_folder, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void NothingIsWrongWhereNothingIs()
    {
        using Stage stage = new(Mixture.Both);
        CompletedProcess run = Doctor(stage.SocketPath, "prlimit", "--nofile=4096", "--");
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, "")), run.Output);
        Assert.That(run.Output, Does.EndWith("nothing is wrong\n").And.Match("ok +kernel: ").And.Match("ok +router: .* answers at ").And.Match("ok +library: .*libfreeflow-core.so"));
    }

    [Test]
    public void AMissingRouterIsAProblem() => Finds(Doctor(NoRouter), "PROBLEM", "router", "no router at /nonexistent/router.sock", "freeflow-router");

    [Test]
    public void ADeadRoutersSocketIsAProblem()
    {
        using Stage stage = new(Mixture.Both);
        stage.Router!.Kill();
        Finds(Doctor(stage.SocketPath), "PROBLEM", "router", "no router answers at ", "systemctl restart freeflow-router");
    }

    [Test]
    public void AFolderThatOthersMayWriteIsAProblem()
    {
        string folder = Path.Combine(_folder, "open");
        Directory.CreateDirectory(folder);
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("777", 8));
        Finds(Doctor(Path.Combine(folder, "router.sock")), "PROBLEM", "folder", "(mode 777)", $"chmod 755 {folder}");
    }

    [Test]
    public void FewDescriptorsAreAWarning() => Finds(Doctor(NoRouter, "prlimit", "--nofile=256", "--"), "WARNING", "descriptors", "256 descriptors", "ulimit -n 65536");

    [Test]
    public void AnOldKernelIsAProblem() => Finds(Doctor(NoRouter, "setarch", "--uname-2.6"), "PROBLEM", "kernel", "Linux 2.6", "install a kernel of 5.14");

    [Test]
    public void AMissingLibraryIsAProblem() => Finds(Installed(NoRouter, "libfreeflow.so"), "PROBLEM", "library", "libfreeflow-core.so is missing", "apt-get install --reinstall freeflow");

    [Test]
    public void ALibraryOfAnotherArchitectureIsAProblem()
    {
        Installed(NoRouter, "libfreeflow.so", "libfreeflow-core.so");
        // EM_AARCH64 in its header.
        string path = Path.Combine(_folder, "libfreeflow.so");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[18] = 183;
        File.WriteAllBytes(path, bytes);
        Finds(Run(new CommandLine(Path.Combine(_folder, "freeflow"), "doctor").With("FREEFLOW_SOCKET", NoRouter)), "PROBLEM", "library", $"{path} is no library of this architecture", "amd64");
    }

    [Test]
    public void ALibraryThatTheLoaderDoesNotTakeIsAProblem()
    {
        Tools.Require("gcc");
        Installed(NoRouter, "libfreeflow.so", "libfreeflow-core.so");
        string source = Path.Combine(_folder, "needs.c"), path = Path.Combine(_folder, "libfreeflow.so");
        File.WriteAllText(source, "extern int not_of_this_libc(void); int use(void) { return not_of_this_libc(); }\n");
        Run(new CommandLine("sh", "-c", $"cd {_folder} && echo 'int not_of_this_libc(void) {{ return 1; }}' > other.c && gcc -shared -fPIC -o libother.so other.c && gcc -shared -fPIC -o {path} needs.c -L. -lother && rm libother.so")).Succeeded("gcc");
        Finds(Run(new CommandLine(Path.Combine(_folder, "freeflow"), "doctor").With("FREEFLOW_SOCKET", NoRouter)), "PROBLEM", "library", $"{path} cannot be loaded", "C library");
    }

    [Test]
    public void OldLocationsAreAProblemOnceNothingIsLearnt()
    {
        string file = Path.Combine(_folder, "locations");
        using Stage stage = new(Mixture.Both, "--locations", $"file:{file}", "--host", "192.168.7.1");
        CompletedProcess run = Doctor(stage.SocketPath);
        Finds(run, "PROBLEM", "locations", "nothing learnt yet", $"ls -l {file}");
        Finds(run, "PROBLEM", "fabric", "there is none", "fabric-cert");
    }

    [Test]
    public void ProgramsWithoutTheShimAreNoted()
    {
        Tools.Require("redis-server", "redis-benchmark");
        using Stage stage = new(Mixture.Both);
        using LabProcess server = stage.Server.Start(new CommandLine("redis-server", "--port", "6379", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""));
        stage.Server.WaitForPort(6379, server);
        using LabProcess load = stage.Client.Start(new CommandLine("redis-benchmark", "-h", stage.Address, "-t", "ping", "-n", "100000000", "-c", "3"));
        Assert.That(Waiting.Until(() => Doctor(stage.SocketPath).Output is var text && text.Contains("redis-server (pid", StringComparison.Ordinal) && text.Contains("redis-benchmark (pid", StringComparison.Ordinal), TimeSpan.FromSeconds(20)), Is.True);
        Finds(Doctor(stage.SocketPath), "note", "programs", "serves 6379 within this host, 3 connections, without the shim", "freeflow run -- redis-server");
        load.Kill();
        // Accelerated ones are no finding.
        using LabProcess fast = stage.Client.Start(stage.AsClient(new CommandLine("redis-benchmark", "-h", stage.Address, "-t", "ping", "-n", "100000000", "-c", "3")));
        Assert.That(Waiting.Until(() => stage.Router!.Status().Processes.Length > 0, TimeSpan.FromSeconds(20)), Is.True);
        Assert.That(Doctor(stage.SocketPath).Output, Does.Not.Contain("redis-benchmark (pid"));
    }

    [TestCase("gcc -static -o PROGRAM static.c", "PROBLEM", "linked statically", "dynamically against glibc", "gcc")]
    [TestCase("musl-gcc -o PROGRAM static.c", "PROBLEM", "linked against musl", "instead of Alpine's", "musl-gcc")]
    [TestCase("GOCACHE=FOLDER/cache go build -o PROGRAM tcp.go", "PROBLEM", "a Go program", "nothing mends it", "go")]
    [TestCase("cp /usr/bin/redis-cli PROGRAM && chown games PROGRAM && chmod u+s PROGRAM", "PROBLEM", "setuid: it becomes user 5", "without that bit", "redis-cli")]
    [TestCase("printf '\\177ELF\\001\\001\\001%0100d' 0 > PROGRAM; chmod +x PROGRAM", "PROBLEM", "another architecture or of 32 bits", "build for amd64")]
    [TestCase("echo text > PROGRAM; chmod +x PROGRAM", "PROBLEM", "neither a program (ELF) nor a script", "")]
    [TestCase("echo text > PROGRAM", "PROBLEM", "is not found, or may not be executed", "whole path")]
    [TestCase("printf '#!/usr/bin/env FOLDER/static' > PROGRAM; chmod +x PROGRAM; gcc -static -o FOLDER/static static.c", "PROBLEM", "linked statically", "", "gcc")]
    [TestCase("echo 'int main(void) { return 0; }' > FOLDER/u.c; gcc -o PROGRAM FOLDER/u.c -Wl,--no-as-needed -luring", "note", "linked against liburing", "option for epoll", "gcc")]
    public void AProgramIsLookedAtBeforeItRuns(string make, string severity, string what, string mend, params string[] needs)
    {
        Tools.Require([.. needs, "sh"]);
        string program = Path.Combine(_folder, "program"), sources = Path.GetDirectoryName(Tools.Program("static.c"))!;
        Run(new CommandLine("sh", "-c", $"cd {sources} && {{ {make.Replace("PROGRAM", program, StringComparison.Ordinal).Replace("FOLDER", _folder, StringComparison.Ordinal)}; }}")).Succeeded(make);
        CompletedProcess run = Run(new CommandLine(Artifacts.Cli, "doctor", "--", program, "--option"));
        Assert.That(run.ExitCode, Is.EqualTo(severity == "note" ? 0 : 1));
        Assert.That(run.Output.Split('\n').Where(line => line.StartsWith(severity, StringComparison.Ordinal)), Has.Exactly(1).Contains(what), run.Output);
        Assert.That(run.Output, Does.Contain(mend));
    }

    [TestCase("redis-server")]
    [TestCase("/usr/bin/python3")]
    [TestCase("/bin/sh")]
    public void AProgramThatCanBeAcceleratedIsFine(string program)
    {
        Tools.Require(program);
        CompletedProcess run = Run(new CommandLine(Artifacts.Cli, "doctor", "--", program));
        Assert.That((run.ExitCode, run.Output.Split('\n')[^2]), Is.EqualTo((0, "nothing is wrong")), run.Output);
    }

    /// <summary>A copy of the command, with some of the libraries beside it, asked.</summary>
    private CompletedProcess Installed(string router, params string[] libraries)
    {
        foreach (string name in libraries.Append("freeflow")) File.Copy(Artifacts.Binary(name), Path.Combine(_folder, name));
        return Run(new CommandLine(Path.Combine(_folder, "freeflow"), "doctor").With("FREEFLOW_SOCKET", router));
    }

    private static CompletedProcess Doctor(string router, params string[] before)
    {
        string[] command = [.. before, Artifacts.Cli, "doctor"];
        return Run(new CommandLine(command[0], command[1..]).With("FREEFLOW_SOCKET", router));
    }

    private static CompletedProcess Run(CommandLine command) => Place.Host.Run(command);

    private static void Finds(CompletedProcess run, string severity, string name, string what, string mend)
    {
        string[] lines = run.Output.Split('\n');
        int at = Array.FindIndex(lines, line => line.StartsWith(severity, StringComparison.Ordinal) && line.Contains($" {name}: ", StringComparison.Ordinal) && line.Contains(what, StringComparison.Ordinal));
        Assert.That(at, Is.GreaterThanOrEqualTo(0), $"{severity} {name}: {what}\nin\n{run.Output}{run.Error}");
        Assert.That(lines[at + 1], Does.StartWith("        why:  "));
        Assert.That(lines[at + 2], Does.StartWith("        mend: ").And.Contain(mend));
        if (severity != "note") Assert.That(run.ExitCode, Is.EqualTo(1));
    }
}
