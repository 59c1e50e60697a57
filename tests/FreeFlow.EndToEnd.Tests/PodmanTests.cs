using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Unmodified programs in containers of podman's making: its seccomp profile, its capabilities, and of FreeFlow the library and the router's socket.</summary>
public sealed class PodmanTests
{
    private const int Port = 6390;

    private Stage _stage = null!;
    private int _containers;

    [SetUp]
    public void SetUp()
    {
        Tools.Require("podman", "crun", "redis-server", "redis-benchmark", Tools.Python);
        _stage = new Stage(Mixture.Both);
        CompletedProcess probe = _stage.Server.Run(InContainer("grep", "Seccomp:", "/proc/self/status"), TimeSpan.FromSeconds(60));
        if (probe.ExitCode != 0) Assert.Ignore($"podman makes no container on this machine: {probe.Error.Trim()}");
        Assert.That(probe.Output.Trim(), Is.EqualTo("Seccomp:\t2"), "a filter is on");
    }

    [TearDown]
    public void TearDown() => _stage?.Dispose();

    [Test]
    public void RedisAndItsBenchmarkTalkThroughRings()
    {
        const int requests = 5000, bytes = 300;
        LabProcess server = _stage.Server.Start(_stage.AsServer(InContainer("redis-server", "--port", $"{Port}", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "")));
        _stage.Server.WaitForPort(Port, server, TimeSpan.FromSeconds(60));
        CompletedProcess run = _stage.Client.Run(_stage.AsClient(InContainer("redis-benchmark", "-h", _stage.Address, "-p", $"{Port}", "-t", "set,get", "-n", $"{requests}", "-c", "8", "-d", $"{bytes}", "--csv")), TimeSpan.FromSeconds(120));
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(run.Output, Does.Contain("\"SET\"").And.Contain("\"GET\""));
        Assert.That(_stage.Router!.Status().Processes.Select(process => process.Program), Does.Contain("redis-server"));
        Assert.That(_stage.Router.Status().RingBytesTotal, Is.GreaterThan(requests * bytes), "bytes that went through rings");
        server.Kill();
    }

    private CommandLine InContainer(params string[] command)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_stage.Folder, $"podman{_containers++}")).FullName;
        return new CommandLine("bash", [Path.Combine(Tools.Program("environments"), "podman.sh"), folder, Path.GetDirectoryName(Artifacts.PreloadLibrary)!, .. command]);
    }
}
