using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Small experiments with one connection that already runs through the ring: every call must return what it returns on the kernel's.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class ExperimentTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(25);

    /// <summary>What every experiment that stays in the ring sends there in one direction, at least.</summary>
    private const long LongestTransfer = 50_000;

    private Stage _stage = null!;

    [OneTimeSetUp]
    public void SetUp()
    {
        Tools.Require(Tools.Python);
        _stage = new Stage(Mixture.Both).WaitingForTheJoin();
    }

    [OneTimeTearDown]
    public void TearDown() => _stage?.Dispose();

    private static IEnumerable<string> Names() => Tools.Find(Tools.Python) is null
        ? []
        : Place.Host.Run(Tools.PythonProgram("experiment.py", "list")).Succeeded("experiment.py list").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [TestCaseSource(nameof(Names))]
    public void SameAsOnTheKernelPath(string name) => Compare(name, Tools.PythonProgram("experiment.py", name));

    [TestCaseSource(typeof(NativeExperiments), nameof(NativeExperiments.Names))]
    public void SameInC(string name) => Compare(name, NativeExperiments.Command(name));

    private void Compare(string name, CommandLine command)
    {
        bool stays = name.EndsWith("_in_the_ring", StringComparison.Ordinal);
        string plain = Run(command, look: false, stays);
        TestContext.Out.WriteLine(plain);
        Assert.That(plain, Does.EndWith("done\nexit code 0"));
        string ring = Run(_stage.AsServer(command), look: true, stays);
        Assert.That(ring, Is.EqualTo(plain));
    }

    private string Run(CommandLine command, bool look, bool stays)
    {
        using LabProcess process = _stage.Server.Start(command);
        process.WaitForOutput("ready", s_patience);
        if (look) CheckRing(process);
        process.SendLine();
        if (stays)
        {
            process.WaitForOutput("done", s_patience);
            if (look) CheckRing(process, LongestTransfer);
            process.SendLine();
        }
        CompletedProcess completed = process.Wait(s_patience);
        return $"{completed.Output}{completed.Error}exit code {completed.ExitCode}";
    }

    private void CheckRing(LabProcess process, long most = 0)
    {
        ConnectionStatus[] ends = _stage.Router!.Status().Processes.Where(p => p.Pid == process.Pid).SelectMany(p => p.Connections).ToArray();
        Assert.That(ends, Has.Length.EqualTo(2), "ends of the connection that the router knows");
        Assert.That(ends.Select(end => end.RingSent), Has.All.Positive, string.Join("; ", ends.Select(end => $"{end.State}: {end.Reason}")));
        Assert.That(ends.Max(end => end.RingSent), Is.GreaterThanOrEqualTo(most), "bytes in the ring");
    }
}
