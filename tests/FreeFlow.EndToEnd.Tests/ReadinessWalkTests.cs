using System;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Random walks over epoll, poll and select: every answer must be the kernel's. Another seed range: FREEFLOW_WALK_FIRST and FREEFLOW_WALK_COUNT; one seed by
/// hand: readiness_walk.py SEED 1 60 verbose.
/// </summary>
public sealed class ReadinessWalkTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);
    private static readonly int s_first = Setting("FREEFLOW_WALK_FIRST", 1);
    private static readonly int s_count = Setting("FREEFLOW_WALK_COUNT", 200);

    [Test]
    public void EveryAnswerIsTheKernels()
    {
        Tools.Require(Tools.Python);
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        CommandLine walk = Tools.PythonProgram("readiness_walk.py", $"{s_first}", $"{s_count}");
        string[] plain = Run(stage, walk, ring: false);
        string[] ring = Run(stage, stage.AsServer(walk), ring: true);
        Assert.That(plain, Has.Length.EqualTo(s_count + 1));
        Assert.That(ring.Except(plain), Is.Empty, "seeds whose walk went another way over the ring");
    }

    private static string[] Run(Stage stage, CommandLine command, bool ring)
    {
        using LabProcess process = stage.Server.Start(command);
        process.WaitForOutput("walked", s_patience);
        Assert.That(stage.Router!.Status().RingBytesTotal, ring ? Is.GreaterThan(100 * s_count) : Is.Zero, "bytes through rings");
        process.SendLine();
        return process.Wait(s_patience).Succeeded(command.ToString()).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
