using System;
using System.IO;
using System.Linq;
using System.Threading;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>What a program has sent to another host before it went to sleep outside its sockets gets there, whatever becomes of the way: a router stands in for it.</summary>
[TestFixture]
public sealed class SleepingSenderTests
{
    private const int Port = 23900;

    /// <summary>RingBlockHeader.Returner, and what it says while a router is at it.</summary>
    private const int ReturnerOffset = 340, Router = 2;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private Laboratory _lab = null!;
    private Stage _stage = null!;
    private LabProcess _reader = null!, _sender = null!;

    [OneTimeSetUp]
    public void Up() => _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 1));

    [OneTimeTearDown]
    public void Down() => _lab.Dispose();

    [TearDown]
    public void TearDown()
    {
        _sender.Dispose();
        _reader.Dispose();
        _stage.Dispose();
        foreach (LabHost host in _lab.Hosts.Where(host => host.DaemonPid("router") == 0)) host.Start("router");
    }

    [TestCase("link")]
    [TestCase("reader's router")]
    [TestCase("sender's router")]
    public void ItsWayIsLost(string fault)
    {
        StartQuiet(200_000);
        LabHost host = _lab.Hosts[fault == "sender's router" ? 0 : 1];
        // Nothing gets through from here on, but the routers know nothing of it yet.
        if (fault == "link") OnFirstHost("nft add table inet cut; for hook in input output; do nft add chain inet cut $hook \"{ type filter hook $hook priority 0; }\"; nft add rule inet cut $hook meta l4proto tcp drop; done");
        else StopForEver(host);
        try
        {
            SendAndSleep();
            if (fault != "link") host.Kill("router");
            // The next one finds the ring.
            if (fault == "sender's router") host.Start("router");
            _reader.WaitForOutput("exact", s_patience);
            Assert.That(_sender.Output, Does.Not.Contain("awake"), "the sender still sleeps");
            _sender.SendLine();
            Assert.That(_reader.Wait(s_patience).Output, Does.EndWith("and the last word\n"), _reader.Error);
        }
        finally
        {
            if (fault == "link") OnFirstHost("nft delete table inet cut");
        }
    }

    /// <summary>More than its kernel takes was unread when it shut its stream down: its router brings it in behind the reader, and then the end.</summary>
    [Test]
    public void ItHasShutItsStreamDown()
    {
        StartQuiet(1_500_000, "ends");
        SendAndSleep();
        // Longer than the router waits before it helps.
        Thread.Sleep(500);
        _reader.SendLine();
        CompletedProcess read = _reader.Wait(s_patience);
        Assert.That((read.ExitCode, read.Output), Is.EqualTo((0, "exact\n")), _reader.Error);
        Assert.That(_sender.Output, Does.Not.Contain("awake"), "the sender still sleeps");
        _sender.SendLine();
        Assert.That(_sender.Wait(s_patience).ExitCode, Is.Zero, _sender.Error);
    }

    /// <summary>Its router died between the kernel's taking bytes and the word that says so: nobody knows how many it has. Both ends are told, and no byte comes twice.</summary>
    [Test]
    public void ARouterDiesInTheMidstOfStandingIn()
    {
        StartQuiet(200_000, "listens");
        StopForEver(_lab.Hosts[0]);
        SendAndSleep();
        MarkAsStoodInFor(_sender.Pid);
        _lab.Hosts[0].Kill("router");
        _sender.SendLine();
        CompletedProcess sent = _sender.Wait(s_patience), read = _reader.Wait(s_patience);
        Assert.That((sent.ExitCode, read.ExitCode), Is.EqualTo((1, 1)), sent.Error + read.Error);
        Assert.That(sent.Error, Does.Contain("ConnectionResetError").Or.Contain("the stream ends after"));
        Assert.That(read.Error, Does.Contain("ConnectionResetError"));
    }

    private void StartQuiet(int bytes, params string[] more)
    {
        _stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        long before = _lab.FabricBytes;
        CommandLine Program(string role) => Tools.PythonProgram("sleeping_sender.py", [role, _stage.Address, $"{Port}", $"{bytes}", .. more]);
        _reader = _stage.Server.Start(_stage.AsServer(Program("server")));
        _stage.Server.WaitForPort(Port, _reader);
        _sender = _stage.Client.Start(_stage.AsClient(Program("client")));
        Assert.That(Waiting.Until(() => _lab.FabricBytes - before > 10_000, s_patience), "no byte went through the fabric");
        _sender.SendLine();
        _sender.WaitForOutput("quiet", s_patience);
    }

    private void SendAndSleep()
    {
        _sender.SendLine();
        _sender.WaitForOutput("sent", s_patience);
    }

    private static void StopForEver(LabHost host) => _ = Place.Host.Run(new CommandLine("kill", "-STOP", $"{host.DaemonPid("router")}")).Succeeded("stopping a router");

    private static void MarkAsStoodInFor(int process)
    {
        string range = File.ReadLines($"/proc/{process}/maps").Single(line => line.Contains("/memfd:freeflow-ring", StringComparison.Ordinal)).Split(' ')[0];
        using FileStream ring = new($"/proc/{process}/map_files/{range}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.Write(ring.SafeFileHandle, BitConverter.GetBytes(Router), ReturnerOffset);
    }

    private void OnFirstHost(string script) => _ = _lab.Hosts[0].Run(new CommandLine("sh", "-c", script), s_patience).Succeeded(script);
}
