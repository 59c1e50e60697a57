using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>A connection that has lost its ring with its way gets another one when the way is there again, any number of times, and no byte is lost or repeated.</summary>
[TestFixture]
public sealed class ReattachTests
{
    private const long Some = 100_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private Laboratory _lab = null!;

    private string _policy = null!, _config = null!;

    [OneTimeSetUp]
    public void Up()
    {
        _policy = Path.Combine(Directory.CreateTempSubdirectory("freeflow-policy-").FullName, "policy");
        // Only the second container of the first host is limited.
        LabDescription lab = LabDescription.Create(hosts: 2, containers: 2);
        File.WriteAllText(_policy, $"rate {lab.Hosts[0].Containers[1].Address4} max=400\n");
        _config = Path.Combine(Path.GetDirectoryName(_policy)!, "config");
        File.WriteAllText(_config, "");
        _lab = Laboratory.Start(lab with { RouterArguments = ["--policy", _policy, "--config", _config] });
    }

    [OneTimeTearDown]
    public void Down()
    {
        _lab.Dispose();
        Directory.Delete(Path.GetDirectoryName(_policy)!, recursive: true);
    }

    /// <summary>Inside one host only those have a router in their way that it limits.</summary>
    [Test]
    public void ALimitedConnectionOfOneHostComesBackToItsRouter()
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabPlace limited = _lab.Hosts[0].Containers[1];
        using LastingRun run = new(stage, "poll", limited.Address4, limited);
        run.WaitForRingBytes(_lab, (0, 0), Some, "at first");
        for (int time = 1; time <= 2; time++)
        {
            _lab.Hosts[0].Kill("router");
            _lab.Hosts[0].Start("router");
            run.WaitForRingBytes(_lab, run.RingBytes(_lab.Hosts[0]), Some, $"time {time}");
        }
        run.Finish();
    }

    /// <summary>A ring that has bytes for its reader stays as it is until they are read, though the other direction is ready for the next ring.</summary>
    [Test]
    public void WhatARingHasGotIsReadAfterItsWayIsLost()
    {
        const int bytes = 200_000, port = 23_950;
        using Stage stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        CommandLine Program(string role) => Tools.PythonProgram("late_reader.py", [role, stage.Address, $"{port}", $"{bytes}"]);
        using LabProcess server = stage.Server.Start(stage.AsServer(Program("server")));
        stage.Server.WaitForPort(port, server);
        using LabProcess client = stage.Client.Start(stage.AsClient(Program("client")));
        server.WaitForOutput("answered", s_patience);
        client.SendLine();
        client.WaitForOutput("ready", s_patience);
        long before = _lab.FabricBytes;
        server.SendLine();
        server.WaitForOutput("sent", s_patience);
        Assert.That(Waiting.Until(() => _lab.FabricBytes - before > bytes / 10, s_patience), "no byte went through the fabric");
        _lab.Hosts[0].Kill("router");
        try
        {
            client.SendLine();
            client.WaitForOutput("sent", s_patience);
            server.SendLine();
            server.WaitForOutput("taken", s_patience);
            client.SendLine();
            Assert.That(Waiting.Until(() => client.Output.Contains("exact", StringComparison.Ordinal) || client.HasExited, s_patience) && !client.HasExited, client.Error);
        }
        finally
        {
            _lab.Hosts[0].Start("router");
        }
    }

    /// <summary>An end says how large the place is that it has; what the routers would give now does not matter.</summary>
    [Test]
    public void ARouterThatMakesOtherRingsNowServesThePlacesThereAre()
    {
        using Stage stage = new(_lab, Mixture.Both);
        using LastingRun run = new(stage, LastingRun.Styles[0]);
        run.WaitForRingBytes(_lab, (0, 0), Some, "at first");
        try
        {
            foreach (string size in new[] { "65536", "4194304" })
            {
                foreach (LabHost host in _lab.Hosts) host.Kill("router");
                File.WriteAllText(_config, $"fabric-ring-bytes {size}\n");
                foreach (LabHost host in _lab.Hosts) host.Start("router");
                run.WaitForRingBytes(_lab, run.RingBytes(_lab.Hosts[0]), Some, $"rings of {size} bytes");
            }
            run.Finish();
        }
        finally
        {
            File.WriteAllText(_config, "");
            foreach (LabHost host in _lab.Hosts) { host.Kill("router"); host.Start("router"); }
        }
    }

    [Test]
    public void EveryStyleGetsARingAgainAfterEachLoss()
    {
        using Stage stage = new(_lab, Mixture.Both);
        LastingRun[] runs = [.. LastingRun.Styles.Select(style => new LastingRun(stage, style))];
        try
        {
            foreach (LastingRun run in runs) run.WaitForRingBytes(_lab, (0, 0), Some, "at first");
            foreach (string fault in new[] { "sender's router", "reader's router", "cut" })
            {
                long began = Environment.TickCount64;
                Befall(fault);
                (long, long)[] before = [.. runs.Select(run => run.RingBytes(_lab.Hosts[0]))];
                Mend(fault);
                foreach ((LastingRun run, (long, long) then) in runs.Zip(before)) run.WaitForRingBytes(_lab, then, Some, fault);
                TestContext.Out.WriteLine($"{fault}: all have a ring again after {Environment.TickCount64 - began} ms");
            }
            foreach (LastingRun run in runs) run.Finish();
        }
        finally
        {
            foreach (LastingRun run in runs) run.Dispose();
        }
        Assert.That(stage.Complaints, Is.Empty, stage.ServerErrors);
    }

    /// <summary>Losses at any moment, many of them in the midst of a join or a return.</summary>
    [Test]
    [Explicit("Half a minute, for a long look: seed and seconds by FREEFLOW_CHAOS_SEED and FREEFLOW_CHAOS_SECONDS.")]
    public void LossesAtAnyMomentLeaveEveryStreamExact()
    {
        Random random = new(int.Parse(Environment.GetEnvironmentVariable("FREEFLOW_CHAOS_SEED") ?? "1", CultureInfo.InvariantCulture));
        int seconds = int.Parse(Environment.GetEnvironmentVariable("FREEFLOW_CHAOS_SECONDS") ?? "30", CultureInfo.InvariantCulture), losses = 0;
        using Stage stage = new(_lab, Mixture.Both);
        LastingRun[] runs = [.. LastingRun.Styles.Concat(LastingRun.Styles).Select(style => new LastingRun(stage, style))];
        try
        {
            for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds; losses++)
            {
                LabHost host = _lab.Hosts[random.Next(2)];
                host.Kill("router");
                host.Start("router");
                Thread.Sleep(random.Next(1500));
            }
            foreach (LastingRun run in runs) run.WaitForRingBytes(_lab, run.RingBytes(_lab.Hosts[0]), Some, $"after {losses} losses");
            foreach (LastingRun run in runs) run.Finish();
            TestContext.Out.WriteLine($"{losses} losses of {runs.Length} connections");
        }
        finally
        {
            foreach (LastingRun run in runs) run.Dispose();
        }
    }

    private void Befall(string fault)
    {
        switch (fault)
        {
            case "sender's router": _lab.Hosts[0].Kill("router"); _lab.Hosts[0].Start("router"); break;
            case "reader's router": _lab.Hosts[1].Kill("router"); break;
            default:
                _lab.Hosts[1].Cut();
                // The routers notice it after three seconds of silence.
                Assert.That(Waiting.Until(() => _lab.Hosts[0].Log("router").Split('\n').Count(line => line.Contains("is lost", StringComparison.Ordinal)) > _lost, TimeSpan.FromSeconds(10)), _lab.Hosts[0].Log("router"));
                break;
        }
    }

    private int _lost;

    private void Mend(string fault)
    {
        if (fault == "reader's router") _lab.Hosts[1].Start("router");
        if (fault == "cut") _lab.Hosts[1].Mend();
        _lost = _lab.Hosts[0].Log("router").Split('\n').Count(line => line.Contains("is lost", StringComparison.Ordinal));
    }
}
