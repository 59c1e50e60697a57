using System;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>What the environment says: <c>freeflow run</c> and its equals, names, prefixes, spinning.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class SettingsTests
{
    [OneTimeSetUp]
    public void SetUp() => Tools.Require(Tools.Python);

    [Test]
    public void FreeflowRunIsThePreloadByHand()
    {
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        CommandLine environment = new CommandLine("env").With(stage.Variables);
        string run = Relevant(stage.Server.Run(environment.WithFreeFlow()));
        string byHand = Relevant(stage.Server.Run(environment.WithPreload()));
        Assert.That(run, Is.EqualTo(byHand).And.Contain("LD_PRELOAD="));

        static string Relevant(CompletedProcess process) => string.Join('\n', process.Succeeded("env").Output.Split('\n')
            .Where(line => line.StartsWith("LD_", StringComparison.Ordinal) || line.StartsWith("FREEFLOW", StringComparison.Ordinal)).Order());
    }

    [TestCase("FREEFLOW_SPIN_US", "0", true)]
    [TestCase("DISABLE_FASTPATH", "1", true)]
    [TestCase("FREEFLOW_STRICT", "1", true)]
    [TestCase("VNET_PREFIX", "10.77.0.0/24", true)]
    [TestCase("VNET_PREFIX", "192.168.0.0/16", false)]
    [TestCase("VNET_PREFIX", "nonsense", null)]
    [TestCase("FREEFLOW_OFFER_AFTER", "nonsense", null)]
    public void SettingDecides(string variable, string value, bool? accelerated)
    {
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        stage.Variables[variable] = value;
        using StreamRun run = new(stage, new StreamPlan("processes", "poll", "4", 1_000_000, 1));
        run.WaitUntilTransferred();
        ConnectionStatus[] ends = run.Connections(stage);
        run.Finish();
        long ring = ends.Sum(end => end.RingSent);
        if (accelerated == true) Assert.That(ring, Is.Positive);
        if (accelerated == false) Assert.That(ring, Is.Zero);
    }

    [TestCase("FREEFLOW_NAME")]
    [TestCase("FFR_NAME")]
    [TestCase("FFR_ID")]
    public void TheStatusShowsTheContainersName(string variable)
    {
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        // The lab names its containers by FREEFLOW_NAME; here it must not.
        string name = variable == "FREEFLOW_NAME" ? "a-name" : "an-old-name";
        CommandLine program = stage.AsServer(Tools.PythonProgram("stream.py", "threads", "127.0.0.1", "7000", "100000", "1", "poll"));
        using LabProcess process = stage.Server.Start(new CommandLine("env", ["-u", "FREEFLOW_NAME", $"{variable}={name}", $"LD_PRELOAD={Artifacts.PreloadLibrary}",
            "FREEFLOW_OFFER_AFTER=0", "FREEFLOW_JOIN=wait", program.Program, .. program.Arguments]));
        process.WaitForOutput("transferred", TimeSpan.FromSeconds(20));
        Assert.That(stage.Router!.Status().Processes.Select(p => p.Container), Does.Contain(name));
        process.SendLine();
        Assert.That(process.Wait(TimeSpan.FromSeconds(20)).ExitCode, Is.Zero);
    }
}
