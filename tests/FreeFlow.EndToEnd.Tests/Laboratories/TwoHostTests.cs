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
        long before = _lab.FabricBytes;
        Assert.That(scenario.Work(stage, 1), Is.EqualTo(plain));
        Assert.That(_lab.FabricBytes - before, Is.Positive, "no byte went through the fabric");
        Assert.That(stage.Complaints, Is.Empty, stage.ServerErrors);
    }

    [TestCaseSource(nameof(Styles))]
    public void StreamsSurviveWhatBefallsTheFabric(string style, string fault)
    {
        using Stage stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        long before = _lab.FabricBytes;
        using StreamRun run = new(stage, new StreamPlan("processes", style, "4", 60_000_000, style.Length + fault.Length));
        Assert.That(Waiting.Until(() => _lab.FabricBytes - before > 1_000_000, s_patience), "no byte went through the fabric");
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
}
