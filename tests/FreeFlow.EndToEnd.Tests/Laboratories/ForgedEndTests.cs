using System;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>
/// A container's root on the client's host gives his container the addresses of the client and of the server on another host, and makes the very same connection there. What he shows to his router is not joined with the
/// server's end: the routers compare where the connection's directions began.
/// </summary>
[TestFixture]
public sealed class ForgedEndTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private Laboratory _lab = null!;
    private int _port = 5000;

    [OneTimeSetUp]
    public void Up()
    {
        Tools.Require(Tools.Python);
        _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 2, etcd: false));
    }

    [OneTimeTearDown]
    public void Down() => _lab?.Dispose();

    [Test]
    public void NothingIsJoinedWithItAndTheTruePairIs([Values] bool victimIsShown)
    {
        LabPlace client = _lab["h1"]["a"], attacker = _lab["h1"]["b"], server = _lab["h2"]["a"];
        int port = _port++, clientPort = port + 10_000;
        attacker.Run(new CommandLine("sh", "-ec", $"""
            echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
            ip address replace {client.Address4}/32 dev lo; ip address replace {server.Address4}/32 dev lo
            """)).Succeeded("ip address");
        using LabProcess forgedServer = Start(attacker, false, "serve", server.Address4, $"{port}"), forged = Start(attacker, true, "call", client.Address4, $"{clientPort}", server.Address4, $"{port}");
        using LabProcess trueServer = Start(server, true, "serve", server.Address4, $"{port}"), victim = Start(client, victimIsShown, "call", client.Address4, $"{clientPort}", server.Address4, $"{port}");
        WaitForState("h1", attacker, clientPort, "offered");
        if (victimIsShown)
        {
            WaitForState("h1", client, clientPort, "ring (tcp fabric)");
            WaitForState("h2", server, port, "ring (tcp fabric)");
        }
        else
        {
            WaitForState("h2", server, port, "offered");
            // Another pair is joined behind it: the routers have dealt with both ends that were shown before.
            int next = _port++;
            using LabProcess otherServer = Start(server, true, "serve", server.Address4, $"{next}"), other = Start(client, true, "call", client.Address4, $"{next + 10_000}", server.Address4, $"{next}");
            WaitForState("h2", server, next, "ring (tcp fabric)");
            WaitForState("h1", client, next + 10_000, "ring (tcp fabric)");
            Assert.That(Find("h2", server, port)?.State, Is.EqualTo("offered"), "the true client has not been shown");
        }
        ConnectionStatus? shown = Find("h1", attacker, clientPort);
        Assert.That((shown?.State, shown?.RingSent, shown?.RingReceived), Is.EqualTo(("offered", 0L, 0L)));
    }

    private static LabProcess Start(LabPlace place, bool shown, params string[] arguments)
    {
        LabProcess process = place.Start(Tools.PythonProgram("forged_end.py", arguments).WithPreload(shown).With("FREEFLOW_OFFER_AFTER", "0"));
        process.WaitForOutput(arguments[0] == "serve" ? "listens" : "connected", s_patience);
        return process;
    }

    private void WaitForState(string host, LabPlace place, int port, string state) =>
        Assert.That(Waiting.Until(() => Find(host, place, port)?.State == state, s_patience), () => $"{place.Name} port {port} is {Find(host, place, port)} instead of {state}");

    private ConnectionStatus? Find(string host, LabPlace place, int port) => _lab[host].Status().Processes.Where(process => process.Container == place.Name)
        .SelectMany(process => process.Connections).FirstOrDefault(connection => connection.Local.EndsWith($":{port}", StringComparison.Ordinal));
}
