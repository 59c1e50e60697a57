using System;
using System.Collections.Generic;
using System.IO;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// The short ways stay short: instructions of single calls against the record that <c>make count RECORD=1</c> keeps. Callgrind counts, so that the result is the
/// same on every machine and under any load.
/// </summary>
public sealed class InstructionTests
{
    private const double Tolerance = 1.1;
    private const int Port = 8052;

    [Test]
    public void NoCallHasBecomeLonger()
    {
        Tools.Require("valgrind", "callgrind_annotate", "gcc");
        using Stage stage = new(Mixture.Both);
        SortedDictionary<string, double> counts = InstructionCounts.Take(stage.Server, Compile(stage.Folder), stage.Folder, Port, accelerated: true);
        SortedDictionary<string, double> record = InstructionCounts.ReadRecord();
        Assert.That(counts.Keys, Is.EqualTo(record.Keys), "calls that are counted and calls on record");
        foreach ((string call, double count) in counts) TestContext.Out.WriteLine($"{call}: {count:0.0}, on record {record[call]:0.0}");
        foreach ((string call, double count) in counts) Assert.That(count, Is.LessThanOrEqualTo(record[call] * Tolerance), $"{call}; 'make count' shows all, 'make count RECORD=1' accepts them");
    }

    /// <summary>Beside many idle connections a call takes as long as beside none: nothing is searched through from end to end.</summary>
    [Test]
    public void NoCallGrowsWithTheNumberOfConnections()
    {
        const int few = 100, many = 2000;
        const double most = 1.5;
        Tools.Require("valgrind", "callgrind_annotate", "gcc");
        using Stage stage = new(Mixture.Both);
        string probe = Compile(stage.Folder);
        SortedDictionary<string, double> beside = InstructionCounts.Take(stage.Server, probe, stage.Folder, Port, accelerated: true, few);
        SortedDictionary<string, double> besideMany = InstructionCounts.Take(stage.Server, probe, stage.Folder, Port + 1, accelerated: true, many);
        foreach ((string call, double count) in beside) TestContext.Out.WriteLine($"{call}: {count:0.0} beside {few}, {besideMany[call]:0.0} beside {many}");
        foreach ((string call, double count) in beside) Assert.That(besideMany[call], Is.LessThanOrEqualTo(count * most), call);
    }

    private static string Compile(string folder)
    {
        string program = Path.Combine(folder, "probe");
        string[] sources = Directory.GetFiles(Path.Combine(Artifacts.Root, "tests", "FreeFlow.Bench", "native"), "*.c");
        _ = Place.Host.Run(new CommandLine("gcc", ["-O2", "-o", program, .. sources, "-lpthread"])).Succeeded("gcc FreeFlow.Bench/native");
        return program;
    }
}
