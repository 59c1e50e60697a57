using System;
using System.IO;
using System.Linq;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary><c>freeflow top</c> in a terminal of 80x24, as a person sees and drives it.</summary>
public sealed class TopTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("freeflow-top-").FullName;

    [TearDown]
    public void RemoveFolder()
    {
        Tmux("kill-server");
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void WhatMovesIsShownSortedFilteredAndPaused()
    {
        Tools.Require("tmux", "redis-server", "redis-benchmark");
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        new Redis().Start(stage);
        using LabProcess load = stage.Client.Start(stage.AsClient(new CommandLine("redis-benchmark", "-h", stage.Address, "-t", "set", "-n", "100000000", "-c", "3", "-d", "1000")));
        Tmux("new-session", "-d", "-x", "80", "-y", "24", $"{Artifacts.Cli} top --router {stage.SocketPath} --every 0.2; echo ended; sleep 1000").Succeeded("tmux");
        string screen = Shows(text => Line(text, "serves 6379") is { } line && Line(text, "calls 6379") is not null && line.Contains(" 3 ", StringComparison.Ordinal) && line.Any(letter => letter is 'K' or 'M'), "three connections and their rates");
        Assert.That(screen.Split('\n').Max(line => line.TrimEnd().Length), Is.LessThanOrEqualTo(80));
        Assert.That(screen.TrimEnd('\n').Split('\n'), Has.Length.LessThanOrEqualTo(24));
        Assert.That(screen, Does.Contain("q quit").And.Contain("router "));

        Press("/", "b", "e", "n", "c", "h", "Enter");
        Shows(text => Line(text, "calls 6379") is not null && Line(text, "serves 6379") is null && text.Contains("filter: bench", StringComparison.Ordinal), "the filter leaves redis-benchmark");
        Press("/", "Escape");
        Shows(text => Line(text, "serves 6379") is not null, "all again");
        Press("s");
        Shows(text => text.Contains("sort: Ring", StringComparison.Ordinal), "sorted by ring");
        Press("p");
        string paused = Shows(text => text.Contains("p go on", StringComparison.Ordinal), "paused");
        load.Kill();
        Waiting.Until(() => stage.Router!.Status().Processes.Length == 1, TimeSpan.FromSeconds(10));
        Assert.That(Line(Screen(), "calls 6379"), Is.EqualTo(Line(paused, "calls 6379")), "nothing moves");
        Press("p");
        Shows(text => Line(text, "calls 6379") is null, "what has ended is gone");
        Press("q");
        Shows(text => text.Contains("ended", StringComparison.Ordinal) && !text.Contains("q quit", StringComparison.Ordinal), "the screen of before");
    }

    [Test]
    public void WithoutATerminalItSaysSo()
    {
        CompletedProcess run = Place.Host.Run(new CommandLine(Artifacts.Cli, "top"));
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((2, "freeflow: top: it needs a terminal; freeflow status --watch writes into files and pipes.\n")));
    }

    private string Shows(Func<string, bool> what, string description)
    {
        string screen = "";
        Assert.That(Waiting.Until(() => what(screen = Screen()), TimeSpan.FromSeconds(30)), Is.True, $"{description}:\n{screen}");
        return screen;
    }

    private string Screen() => Tmux("capture-pane", "-p").Output;

    private void Press(params string[] keys) => Tmux(["send-keys", .. keys]).Succeeded("tmux send-keys");

    private static string? Line(string screen, string text) => screen.Split('\n').FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal));

    private CompletedProcess Tmux(params string[] arguments) => Place.Host.Run(new CommandLine("tmux", ["-S", Path.Combine(_folder, "tmux"), "-f", "/dev/null", .. arguments]));
}
