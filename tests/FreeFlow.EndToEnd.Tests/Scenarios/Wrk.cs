using System;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>nginx and wrk: many keep-alive connections at once; no request may fail.</summary>
public sealed class Wrk : Scenario
{
    public override string[] Needs => ["nginx", "wrk"];

    public override bool MayWaitForTheJoin => false;

    public override void Start(Stage stage) => NginxServer.Start(stage);

    public override string Work(Stage stage, int seconds)
    {
        string url = $"http://{stage.Address}:{NginxServer.Port}/file1024";
        string output = stage.Call(new CommandLine("wrk", "-t", "2", "-c", "16", "-d", $"{Math.Max(1, seconds)}s", url)).Output;
        Assert.That(output, Does.Contain("requests in").And.Not.Contain("Socket errors").And.Not.Contain("Non-2xx"));
        Assert.That(output.Split('\n').Single(line => line.Contains("requests in", StringComparison.Ordinal)).Trim(), Does.Not.StartWith("0 requests"));
        return "no errors";
    }
}
