using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Random mixtures of io_uring and libc on connections between two processes (programs/uring/mixture.c, which knows what must come of each step).
/// FREEFLOW_URING_SEED and FREEFLOW_URING_COUNT perform others, and more.
/// </summary>
[Parallelizable(ParallelScope.Children)]
public sealed class UringTests
{
    private const int Steps = 200, NotHere = 77;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(110);
    private static readonly int s_seed = Setting("FREEFLOW_URING_SEED", 1), s_count = Setting("FREEFLOW_URING_COUNT", 16);

    private string _folder = "";

    private string Program => Path.Combine(_folder, "mixture");

    [OneTimeSetUp]
    public void Compile()
    {
        Tools.Require("gcc");
        _folder = Directory.CreateTempSubdirectory("freeflow-uring-").FullName;
        string source = Path.Combine(Tools.Program("uring"), "mixture.c");
        string[] options = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", Program, source, "-luring"];
        _ = Place.Host.Run(new CommandLine("gcc", options)).Succeeded("gcc mixture.c");
    }

    [OneTimeTearDown]
    public void RemoveFolder()
    {
        if (_folder.Length > 0) Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void MixturesHaveOneOutcomeOnTheKernelPath()
    {
        using Stage stage = new(Mixture.Plain);
        Perform(stage);
    }

    [Test]
    public void MixturesComeOutTheSameFromTheRingsFirstByteOn()
    {
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        Perform(stage);
        Assert.That(stage.Router!.Status().RingBytesTotal, Is.GreaterThan(1000L * s_count));
    }

    [TestCase("2")]
    [TestCase("8/65536")]
    public void MixturesComeOutTheSameThroughTheHandOver(string offerAfter)
    {
        using Stage stage = new(Mixture.Both);
        stage.Variables["FREEFLOW_OFFER_AFTER"] = offerAfter;
        Perform(stage);
        Assert.That(stage.Router!.Status().RingBytesTotal, Is.Positive);
    }

    private void Perform(Stage stage)
    {
        List<string> differences = [];
        for (int seed = s_seed; seed < s_seed + s_count; seed++)
        {
            CommandLine command = new(Program, [seed.ToString(CultureInfo.InvariantCulture), Steps.ToString(CultureInfo.InvariantCulture)]);
            CompletedProcess run = stage.Server.Run(stage.AsServer(command), s_patience);
            if (run.ExitCode == NotHere) Assert.Ignore(run.Output);
            if (run.ExitCode != 0) differences.Add($"seed {seed}, exit code {run.ExitCode}: {run.Output}{run.Error}");
        }
        Assert.That(differences, Is.Empty, string.Join('\n', differences));
    }

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
