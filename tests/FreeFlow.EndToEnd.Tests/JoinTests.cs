using System;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>What programs are busy with when a connection gets its ring.</summary>
public sealed class JoinTests
{
    /// <summary>A poll that began before the ring was there holds the connection in the kernel, but only as long as it lasts.</summary>
    [Test]
    public void APollThatSleptThroughTheJoinLetsTheConnectionGo()
    {
        Tools.Require(Tools.Python);
        using Stage stage = new(Mixture.Both);
        stage.Variables["FREEFLOW_OFFER_AFTER"] = "4";
        using LabProcess process = stage.Server.Start(stage.AsServer(Tools.PythonProgram("poll_through_join.py")));
        process.WaitForOutput("ready", TimeSpan.FromSeconds(30));
        ConnectionStatus[] ends = stage.Router!.Status().Processes.Where(p => p.Pid == process.Pid).SelectMany(p => p.Connections).ToArray();
        process.SendLine();
        Assert.That(ends.Select(end => end.RingSent), Has.Exactly(2).Positive, string.Join("; ", ends.Select(end => $"{end.State}: {end.Reason}, {end.RingSent} bytes by ring")));
    }

    /// <summary>What FIONREAD counts comes in one read, also while kernel bytes before the ring's are still on their way.</summary>
    [Test]
    public void WhatIsCountedThroughTheJoinComesInOneRead()
    {
        Tools.Require(Tools.Python);
        using Stage stage = new(Mixture.Both);
        using LabProcess process = stage.Server.Start(stage.AsServer(Tools.PythonProgram("promised_through_join.py")));
        process.WaitForOutput("ready", TimeSpan.FromSeconds(30));
        ConnectionStatus[] ends = stage.Router!.Status().Processes.Where(p => p.Pid == process.Pid).SelectMany(p => p.Connections).ToArray();
        process.SendLine();
        Assert.That(ends.Select(end => end.RingReceived), Has.Exactly(1).EqualTo(50_000), string.Join("; ", ends.Select(end => $"{end.State}: {end.Reason}, {end.RingReceived} bytes by ring")));
    }

    /// <summary>A server serves in the order in which epoll reports: what a client wrote to its first connection comes before what it wrote to its second.</summary>
    [TestCase(Mixture.Plain)]
    [TestCase(Mixture.Both)]
    public void ReportsComeInTheOrderOfArrival(Mixture mixture)
    {
        Tools.Require(Tools.Python);
        using Stage stage = new Stage(mixture).WaitingForTheJoin();
        using LabProcess process = stage.Server.Start(stage.AsServer(Tools.PythonProgram("arrival_order.py")));
        process.WaitForOutput("ready", TimeSpan.FromSeconds(30));
        if (mixture == Mixture.Both)
            Assert.That(stage.Router!.Status().Processes.Where(p => p.Pid == process.Pid).SelectMany(p => p.Connections).Select(end => end.RingSent), Has.Exactly(20).Positive);
        process.SendLine();
        Assert.That(process.Wait(TimeSpan.FromSeconds(30)).Output, Does.EndWith("\nin order\n"));
    }
}
