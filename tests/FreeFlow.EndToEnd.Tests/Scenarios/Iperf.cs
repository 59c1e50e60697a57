using System;
using System.Text.Json;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>iperf3, a select loop: one stream unless <paramref name="how"/> says otherwise.</summary>
public sealed class Iperf(string how = "") : Scenario
{
    private const int Port = 5201;

    public override string[] Needs => ["iperf3"];

    public override void Start(Stage stage) => stage.Serve(new CommandLine("iperf3", "-s", "-p", $"{Port}"), Port);

    public override string Work(Stage stage, int seconds)
    {
        string address = how == "-6" ? stage.Server.Address6 : stage.Address;
        string[] options = how.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        CompletedProcess run = stage.Call(new CommandLine("iperf3", ["-c", address, "-p", $"{Port}", "-t", $"{Math.Max(1, seconds)}", "-J", .. options]));
        using JsonDocument report = JsonDocument.Parse(run.Output);
        Assert.That(report.RootElement.TryGetProperty("error", out JsonElement error), Is.False, error.ToString());
        JsonElement end = report.RootElement.GetProperty("end");
        foreach (string sum in how == "--bidir" ? ["sum_sent", "sum_received", "sum_sent_bidir_reverse", "sum_received_bidir_reverse"] : new[] { "sum_sent", "sum_received" })
            Assert.That(end.GetProperty(sum).GetProperty("bytes").GetInt64(), Is.GreaterThan(1_000_000), sum);
        return "no errors";
    }

    public override string ToString() => $"iperf3 {how}".Trim();
}
