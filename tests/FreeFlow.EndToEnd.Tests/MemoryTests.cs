using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// programs/memory: calls whose pointers name memory that is not there, read-only, or ends in their midst, and whose lengths and counts are no good. Result, errno,
/// what is written into the program's memory, and every byte of the connection must be the kernel's. FREEFLOW_SEED chooses other cases.
/// </summary>
[Parallelizable(ParallelScope.Children)]
public sealed class MemoryTests
{
    private const int Cases = 1500;
    private const int MostShown = 20;

    private static readonly string s_seed = Environment.GetEnvironmentVariable("FREEFLOW_SEED") ?? "1";

    private Stage _ring = null!;
    private Stage _default = null!;
    private string _program = "";

    [OneTimeSetUp]
    public void SetUp()
    {
        Tools.Require("gcc");
        _ring = new Stage(Mixture.Both).WaitingForTheJoin();
        _default = new Stage(Mixture.Both);
        _default.Variables.Clear();
        _program = Path.Combine(_ring.Folder, "memory");
        string[] sources = Directory.GetFiles(Tools.Program("memory"), "*.c");
        // The compiler sees through some of it, and warns.
        _ = Place.Host.Run(new CommandLine("gcc", ["-std=gnu11", "-O1", "-w", "-o", _program, .. sources])).Succeeded("gcc programs/memory");
    }

    [OneTimeTearDown]
    public void TearDown()
    {
        _ring?.Dispose();
        _default?.Dispose();
    }

    [Test]
    public void BadPointersMeanTheSameInTheRing([Range(0, 3)] int part) => Compare(_ring, part, attempts: 1);

    /// <summary>The hand-over comes in the midst of the first bytes, or behind them: at another moment each time, so that a difference counts when it comes again.</summary>
    [Test]
    public void BadPointersMeanTheSameByDefault([Range(4, 5)] int part) => Compare(_default, part, attempts: 3);

    private void Compare(Stage stage, int part, int attempts)
    {
        CommandLine command = new(_program, s_seed, $"{part * Cases}", $"{Cases}");
        string[] plain = Lines(stage, command);
        Assert.That(plain, Has.Length.EqualTo(Cases));
        Assert.That(plain, Has.None.Contains("killed"), "cases in which libc itself dies");
        Dictionary<string, string> steady = plain.ToDictionary(line => line, _ => "");
        for (int attempt = 0; attempt < attempts && steady.Count > 0; attempt++)
        {
            string[] ring = Lines(stage, stage.AsServer(command));
            Assert.That(ring, Has.Length.EqualTo(Cases));
            steady = plain.Zip(ring).Where(pair => pair.First != pair.Second && steady.ContainsKey(pair.First)).ToDictionary(pair => pair.First, pair => pair.Second);
        }
        Assert.That(stage.Router!.Status().RingBytesTotal, Is.Positive, "bytes through rings");
        string[] differing = [.. steady.Select(pair => $"plain {pair.Key}\nring  {pair.Value}").Take(MostShown)];
        Assert.That(differing, Is.Empty, string.Join('\n', differing));
    }

    private static string[] Lines(Stage stage, CommandLine command) =>
        stage.Server.Run(command, TimeSpan.FromSeconds(300)).Succeeded(command.ToString()).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
