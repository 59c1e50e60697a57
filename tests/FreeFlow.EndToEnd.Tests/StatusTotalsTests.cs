using System;
using System.Linq;
using System.Text.Json;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>What <c>freeflow status</c> still knows when programs have ended: which service was accelerated, how much, and why not.</summary>
public sealed class StatusTotalsTests
{
    [Test]
    public void WhatHasEndedIsRemembered()
    {
        Redis redis = new();
        Tools.Require(redis.Needs);
        using Stage stage = new(Mixture.Both);
        stage.WaitingForTheJoin();
        redis.Start(stage);
        redis.Work(stage, 0);
        // One end without the shim: its peer is left in the kernel.
        stage.Client.Run(new CommandLine("redis-benchmark", "-h", stage.Address, "-t", "set", "-n", "200", "-c", "1", "--csv")).Succeeded("plain redis-benchmark");

        JsonElement benchmark = default, server = default;
        Waiting.Until(() => Count(benchmark = Service(stage, "redis-benchmark", served: false), "ended") >= 8 && Count(server = Service(stage, "redis-server", served: true), "ended") >= 9, TimeSpan.FromSeconds(20));
        Assert.That(Count(benchmark, "ended"), Is.GreaterThanOrEqualTo(8), "the clients of redis-benchmark, which has ended");
        Assert.That(Count(benchmark, "open"), Is.Zero);
        Assert.That(Count(benchmark, "ended_in_ring"), Is.EqualTo(Count(benchmark, "ended")));
        Assert.That(Count(benchmark, "ring_sent"), Is.GreaterThan(300_000));
        Assert.That(Count(server, "ended"), Is.GreaterThan(Count(server, "ended_in_ring")), "the plain client's connection is one of the kernel");
        Assert.That(Count(server, "ring_received"), Is.GreaterThanOrEqualTo(Count(benchmark, "ring_sent")));
        Assert.That(Count(server, "kernel_received"), Is.GreaterThan(200));

        string text = Status(stage);
        string[] lines = text.Split('\n');
        Assert.That(lines.Count(line => line.StartsWith("redis-benchmark", StringComparison.Ordinal)), Is.EqualTo(1), text);
        Assert.That(lines.Single(line => line.StartsWith("redis-benchmark", StringComparison.Ordinal)), Does.Match(@"calls 6379 +0 +0 +\d+ +\d+ +\S+ +(100|99\.\d)%"));
        Assert.That(lines.First(line => line.Contains("serves 6379", StringComparison.Ordinal)), Does.Contain("the other end is not known to this router ("));
        Assert.That(Status(stage, "--program", "benchmark"), Does.Contain("redis-benchmark").And.Not.Contain("redis-server"));
    }

    [Test]
    public void ManyConnectionsAreOneLineUnlessEachIsAskedFor()
    {
        Tools.Require("redis-server", "redis-benchmark");
        using Stage stage = new(Mixture.Both);
        stage.WaitingForTheJoin();
        new Redis().Start(stage);
        using LabProcess load = stage.Client.Start(stage.AsClient(new CommandLine("redis-benchmark", "-h", stage.Address, "-t", "ping", "-n", "100000000", "-c", "30")));
        Assert.That(Waiting.Until(() => stage.Router!.Status().Processes.Sum(process => process.Connections.Count(connection => connection.RingSent > 0)) >= 60, TimeSpan.FromSeconds(30)), Is.True);
        string groups = Status(stage), all = Status(stage, "--all");
        Assert.That(groups, Does.Match(@"redis-server +\S+ +serves 6379 +30 +ring \(shm\)").And.Contain("60 connections; --all shows each"));
        Assert.That(all.Split('\n').Count(line => line.Contains("ring (shm)", StringComparison.Ordinal)), Is.EqualTo(60));
    }

    private static long Count(JsonElement service, string name) => service.ValueKind == JsonValueKind.Object ? service.GetProperty(name).GetInt64() : -1;

    private static JsonElement Service(Stage stage, string program, bool served)
    {
        using JsonDocument status = JsonDocument.Parse(Status(stage, "--json"));
        return status.RootElement.GetProperty("programs").EnumerateArray().Where(entry => entry.GetProperty("program").GetString() == program)
            .SelectMany(entry => entry.GetProperty("services").EnumerateArray()).Where(service => service.GetProperty("served").GetBoolean() == served && service.GetProperty("port").GetInt32() == 6379)
            .Select(service => service.Clone()).FirstOrDefault();
    }

    private static string Status(Stage stage, params string[] more) =>
        Place.Host.Run(new CommandLine(Artifacts.Cli, ["status", "--router", stage.SocketPath, .. more])).Succeeded("freeflow status").Output;
}
