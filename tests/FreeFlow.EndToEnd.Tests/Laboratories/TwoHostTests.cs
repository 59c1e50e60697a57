using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>Programs on two hosts: the results are those of a plain run, the bytes go through the fabric, and whatever becomes of it, none is lost or repeated.</summary>
[TestFixture]
public sealed class TwoHostTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private Laboratory _lab = null!;

    private static Scenario[] Scenarios => Scenario.All;

    private static IEnumerable<TestCaseData> Styles()
    {
        foreach (string style in new[] { "blocking", "poll", "epoll-lt", "epoll-et" })
            foreach (string fault in new[] { "nothing", "sender's router", "reader's router", "cut", "address" })
                yield return new TestCaseData(style, fault).SetArgDisplayNames(style, fault);
    }

    [OneTimeSetUp]
    public void Up() => _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 1));

    [OneTimeTearDown]
    public void Down() => _lab.Dispose();

    [TestCaseSource(nameof(Scenarios))]
    public void SameResultsAcrossHosts(Scenario scenario)
    {
        Tools.Require(scenario.Needs);
        string plain = ProgramTests.PlainResult(scenario);
        using Stage stage = new(_lab, Mixture.Both);
        if (scenario.MayWaitForTheJoin) stage.WaitingForTheJoin();
        scenario.Start(stage);
        long before = FabricBytes();
        Assert.That(scenario.Work(stage, 1), Is.EqualTo(plain));
        Assert.That(FabricBytes() - before, Is.Positive, "no byte went through the fabric");
        Assert.That(stage.Complaints, Is.Empty, stage.ServerErrors);
    }

    [TestCaseSource(nameof(Styles))]
    public void StreamsSurviveWhatBefallsTheFabric(string style, string fault)
    {
        using Stage stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        long before = FabricBytes();
        using StreamRun run = new(stage, new StreamPlan("processes", style, "4", 60_000_000, style.Length + fault.Length));
        Assert.That(Waiting.Until(() => FabricBytes() - before > 1_000_000, s_patience), "no byte went through the fabric");
        Befall(fault);
        try
        {
            run.WaitUntilTransferred();
            run.Finish();
        }
        finally
        {
            Undo(fault);
        }
    }

    /// <summary>What lies in its ring goes by the kernel all the same: its router stands in for it, or the one that is started after it.</summary>
    [TestCase("link")]
    [TestCase("reader's router")]
    [TestCase("sender's router")]
    public void ASenderThatSleepsElsewhereLosesItsWay(string fault)
    {
        const int bytes = 200_000, port = 23900;
        LabHost host = _lab.Hosts[fault == "sender's router" ? 0 : 1];
        using Stage stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        long before = FabricBytes();
        CommandLine Program(string role) => Tools.PythonProgram("sleeping_sender.py", role, stage.Address, $"{port}", $"{bytes}");
        using LabProcess reader = stage.Server.Start(stage.AsServer(Program("server")));
        stage.Server.WaitForPort(port, reader);
        using LabProcess sender = stage.Client.Start(stage.AsClient(Program("client")));
        Assert.That(Waiting.Until(() => FabricBytes() - before > 10_000, s_patience), "no byte went through the fabric");
        sender.Input.WriteLine();
        sender.WaitForOutput("quiet", s_patience);
        try
        {
            // Nothing gets through from here on, but the routers know nothing of it yet.
            if (fault == "link") OnFirstHost("nft add table inet cut; for hook in input output; do nft add chain inet cut $hook \"{ type filter hook $hook priority 0; }\"; nft add rule inet cut $hook meta l4proto tcp drop; done");
            else _ = Place.Host.Run(new CommandLine("kill", "-STOP", $"{host.DaemonPid("router")}")).Succeeded("stopping a router");
            sender.Input.WriteLine();
            sender.WaitForOutput("sent", s_patience);
            if (fault != "link") host.Kill("router");
            if (fault == "sender's router") host.Start("router");
            reader.WaitForOutput("exact", s_patience);
            Assert.That(sender.Output, Does.Not.Contain("awake"), "the sender still sleeps");
            sender.Input.WriteLine();
            Assert.That(reader.Wait(s_patience).Output, Does.EndWith("and the last word\n"), reader.Error);
        }
        finally
        {
            if (fault == "link") OnFirstHost("nft delete table inet cut");
            else if (fault == "reader's router") host.Start("router");
        }
    }

    /// <summary>More than its kernel takes was unread when it shut its stream down: its router brings it in behind the reader, and then the end.</summary>
    [Test]
    public void ASenderShutsItsStreamDownAndSleepsElsewhere()
    {
        const int bytes = 1_500_000, port = 23901;
        using Stage stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        long before = FabricBytes();
        CommandLine Program(string role) => Tools.PythonProgram("sleeping_sender.py", role, stage.Address, $"{port}", $"{bytes}", "ends");
        using LabProcess reader = stage.Server.Start(stage.AsServer(Program("server")));
        stage.Server.WaitForPort(port, reader);
        using LabProcess sender = stage.Client.Start(stage.AsClient(Program("client")));
        Assert.That(Waiting.Until(() => FabricBytes() - before > 10_000, s_patience), "no byte went through the fabric");
        sender.Input.WriteLine();
        sender.WaitForOutput("quiet", s_patience);
        sender.Input.WriteLine();
        sender.WaitForOutput("sent", s_patience);
        // Longer than the router waits before it helps.
        System.Threading.Thread.Sleep(500);
        reader.Input.WriteLine();
        CompletedProcess read = reader.Wait(s_patience);
        Assert.That((read.ExitCode, read.Output), Is.EqualTo((0, "exact\n")), reader.Error);
        Assert.That(sender.Output, Does.Not.Contain("awake"), "the sender still sleeps");
        sender.Input.WriteLine();
        Assert.That(sender.Wait(s_patience).ExitCode, Is.Zero, sender.Error);
    }

    private void OnFirstHost(string script) => _ = _lab.Hosts[0].Run(new CommandLine("sh", "-c", script), s_patience).Succeeded(script);

    private void Befall(string fault)
    {
        switch (fault)
        {
            case "sender's router": _lab.Hosts[0].Kill("router"); break;
            case "reader's router": _lab.Hosts[1].Kill("router"); break;
            case "cut":
                _lab.Hosts[0].Cut();
                System.Threading.Thread.Sleep(500);
                _lab.Hosts[0].Mend();
                break;
            case "address": _lab.Hosts[1].Stop("hunter"); break;
        }
    }

    private void Undo(string fault)
    {
        if (fault == "sender's router") _lab.Hosts[0].Start("router");
        if (fault == "reader's router") _lab.Hosts[1].Start("router");
        if (fault == "address") _lab.Hosts[1].Start("hunter");
    }

    private long FabricBytes() => _lab.Hosts.Where(host => host.DaemonPid("router") != 0).Sum(host => host.Status().FabricBytes);
}
