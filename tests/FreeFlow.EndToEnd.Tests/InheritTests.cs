using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// Connections that go from program to program (fork, exec, posix_spawn, system, popen, SCM_RIGHTS, copies in every order), each of which reads a part, while the peer half-closes,
/// closes, exits, is busy or becomes another program itself: programs/inherit/inherit.c makes a scenario of each seed, whose outcome must be the kernel's. Another range:
/// FREEFLOW_INHERIT_FIRST and FREEFLOW_INHERIT_COUNT.
/// </summary>
[Parallelizable(ParallelScope.Children)]
public sealed class InheritTests
{
    private const int BytesWarmedUp = 24 * 48;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);
    private static readonly int s_first = Setting("FREEFLOW_INHERIT_FIRST", 1);
    private static readonly int s_count = Setting("FREEFLOW_INHERIT_COUNT", 150);

    private static readonly Lazy<string> s_program = new(() => Compile("inherit"));

    [Test]
    public void EveryReaderGetsItsPart()
    {
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        Compare(stage);
        Assert.That(stage.Router!.Status().RingBytesTotal, Is.GreaterThan((ulong)(BytesWarmedUp * s_count)), "bytes through rings");
    }

    [Test]
    public void EveryReaderGetsItsPartByDefaultSettings()
    {
        using Stage stage = new(Mixture.Both);
        stage.Variables.Clear();
        Compare(stage);
        Assert.That(stage.Router!.Status().RingBytesTotal, Is.Positive, "bytes through rings");
    }

    private static void Compare(Stage stage)
    {
        CommandLine command = new(s_program.Value, $"{s_first}", $"{s_count}");
        Dictionary<int, string> plain = Run(stage, command), ring = Run(stage, stage.AsServer(command));
        Assert.That(plain, Has.Count.EqualTo(s_count));
        Assert.That(plain.Values.Where(text => text.Contains("broken", StringComparison.Ordinal) || text.Contains("WRONG", StringComparison.Ordinal)), Is.Empty);
        Assert.Multiple(() =>
        {
            foreach ((int seed, string expected) in plain) Assert.That(ring.GetValueOrDefault(seed), Is.EqualTo(expected), $"FREEFLOW_INHERIT_FIRST={seed} FREEFLOW_INHERIT_COUNT=1");
        });
    }

    /// <summary>What each seed's scenario says.</summary>
    private static Dictionary<int, string> Run(Stage stage, CommandLine command)
    {
        using LabProcess process = stage.Server.Start(command);
        string output = process.Wait(s_patience).Succeeded(command.ToString()).Output;
        return output.Split("seed ", StringSplitOptions.RemoveEmptyEntries).GroupBy(text => int.Parse(text[..text.IndexOf(':', StringComparison.Ordinal)], CultureInfo.InvariantCulture))
            .ToDictionary(texts => texts.Key, texts => string.Concat(texts));
    }

    private static string Compile(string name)
    {
        Tools.Require("gcc");
        string folder = Directory.CreateDirectory(Path.Combine(Artifacts.Root, "artifacts", "tests")).FullName, program = Path.Combine(folder, name);
        _ = Place.Host.Run(new CommandLine("gcc", ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, Tools.Program($"{name}/{name}.c")])).Succeeded($"gcc {name}.c");
        return program;
    }

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
