using System;
using System.IO;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>sockperf ping-pong over TCP; <paramref name="how"/> chooses what it waits with (-F recvfrom, poll, select, epoll).</summary>
public sealed class Sockperf(string how = "") : Scenario
{
    private const int Port = 11111;

    public override string[] Needs => ["sockperf"];

    public override void Start(Stage stage)
    {
        // -F is taken only together with a list of sockets; two of them, so that waiting on several is really exercised.
        File.WriteAllText(Feed(stage), $"T:{stage.Address}:{Port}\nT:{stage.Address}:{Port + 1}\n");
        stage.Serve(new CommandLine("sockperf", ["server", .. Socket(stage)]), Port);
    }

    public override string Work(Stage stage, int seconds)
    {
        string[] arguments = ["ping-pong", .. Socket(stage), "-t", $"{Math.Max(1, seconds)}", "-m", "64", "--full-rtt"];
        string output = stage.Call(new CommandLine("sockperf", arguments)).Output;
        Assert.That(output, Does.Contain("# dropped messages = 0; # duplicated messages = 0; # out-of-order messages = 0"));
        return "no errors";
    }

    public override string ToString() => $"sockperf {how}".Trim();

    private string[] Socket(Stage stage) =>
        how.Length == 0 ? ["-i", stage.Address, "-p", $"{Port}", "--tcp"] : ["-f", Feed(stage), .. how.Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static string Feed(Stage stage) => Path.Combine(stage.Folder, "sockperf.feed");
}
