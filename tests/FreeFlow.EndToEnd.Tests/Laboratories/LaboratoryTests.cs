using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>Two hosts with two containers each: what the laboratory promises to those who test with it.</summary>
[TestFixture]
public sealed class LaboratoryTests
{
    private const int Port = 6379;
    private Laboratory _lab = null!;

    [OneTimeSetUp]
    public void Up() => _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 2));

    [OneTimeTearDown]
    public void Down()
    {
        _lab.Dispose();
        Assert.That(Directory.Exists(_lab.Folder), Is.False, "the laboratory's folder is left");
    }

    [Test]
    public void ContainersReachEachOtherOverTheOverlay()
    {
        foreach (LabPlace from in _lab.Hosts.SelectMany(host => host.Containers))
        {
            foreach (LabPlace to in _lab.Hosts.SelectMany(host => host.Containers))
            {
                Assert.That(Ping(from, to.Address4), $"{from.Name} to {to.Name}");
                Assert.That(Ping(from, to.Address6), $"{from.Name} to {to.Name}, IPv6");
            }
        }
        // The largest packet that the overlay carries whole: 1450 bytes less 28 of IP and ICMP.
        Assert.That(_lab["h1"]["a"].Run(new CommandLine("ping", "-c", "1", "-W", "2", "-M", "do", "-s", "1422", _lab["h2"]["a"].Address4)).ExitCode, Is.Zero);
        Assert.That(_lab["h1"]["a"].Run(new CommandLine("ping", "-c", "1", "-W", "2", "-M", "do", "-s", "1423", _lab["h2"]["a"].Address4)).ExitCode, Is.Not.Zero);
    }

    [Test]
    public void RedisAnswersAcrossHostsAndGoesThroughRingsOnOne()
    {
        LabPlace server = _lab["h2"]["a"], neighbour = _lab["h2"]["b"], stranger = _lab["h1"]["a"];
        using LabProcess redis = server.Start(Accelerated(new CommandLine("redis-server", "--port", $"{Port}", "--save", "", "--protected-mode", "no")));
        server.WaitForPort(Port, redis);
        string[] words = ["-h", server.Address4, "-p", $"{Port}", "-n", "2000", "-c", "4", "-t", "get", "-q"];
        long before = _lab["h2"].Status().RingBytesTotal;
        _ = stranger.Run(Accelerated(new CommandLine("redis-benchmark", words))).Succeeded("redis-benchmark across hosts");
        _ = neighbour.Run(Accelerated(new CommandLine("redis-benchmark", words))).Succeeded("redis-benchmark on one host");
        Assert.That(_lab["h2"].Status().RingBytesTotal - before, Is.GreaterThan(2000 * 40), "bytes through rings of h2's router");
        Assert.That(_lab["h1"].Status().Processes, Is.Empty, "h1's router has seen processes of h2");
        redis.Stop();
    }

    [Test]
    public void HuntersPublishTheirOwnContainersOnly()
    {
        // Base64 of "Microsoft/FreeFlow/" and of the byte after it: every virtual IP.
        CommandLine ask = new("curl", "-s", "-d", """{"key":"TWljcm9zb2Z0L0ZyZWVGbG93Lw==","range_end":"TWljcm9zb2Z0L0ZyZWVGbG93MA=="}""", $"{_lab.EtcdUrl}/v3/kv/range");
        string Encoded(string text) => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(text));
        string answer = "";
        bool complete = Waiting.Until(() => (answer = _lab.Etcd.Run(ask).Output).Contains("\"count\":\"8\"", StringComparison.Ordinal), TimeSpan.FromSeconds(10));
        Assert.That(complete, $"etcd has not 4 containers with 2 addresses each, but: {answer}");
        foreach (LabHost host in _lab.Hosts)
        {
            foreach (LabPlace container in host.Containers)
            {
                foreach (string address in new[] { container.Address4, container.Address6 })
                {
                    int entry = answer.IndexOf(Encoded($"Microsoft/FreeFlow/{address}"), StringComparison.Ordinal);
                    Assert.That(entry, Is.GreaterThan(0), address);
                    Assert.That(answer[entry..(answer.IndexOf('}', entry))], Does.Contain(Encoded(host.Address4)), $"{address} lives on {host.Address4}");
                }
            }
        }
    }

    [Test]
    public void RoutersFollowTheLocationsAndPublishThemselves()
    {
        string Told(LabHost host) => host.Run(new CommandLine(Artifacts.Cli, "status")).Output;
        string Seen(string text, LabHost host)
        {
            string told = "";
            return Waiting.Until(() => (told = Told(host)).Contains(text, StringComparison.Ordinal), TimeSpan.FromSeconds(20)) ? told : throw new AssertionException($"never said '{text}', but: {told}");
        }
        LabHost first = _lab["h1"], second = _lab["h2"];
        // Two hosts with 2 containers of 2 addresses each; a stopped router takes its entry back, a killed one leaves it to the lease.
        Assert.That(Seen("8 addresses on 2 hosts", first), Does.Contain("locations from etcd: current").And.Contain("this host is 192.168.77.1, published"));
        Assert.That(Waiting.Until(() => Routers() == "2", TimeSpan.FromSeconds(10)), "both routers are in etcd");
        second.Stop("router");
        Assert.That(Routers(), Is.EqualTo("1"), "the stopped router's entry is gone with it");
        second.Start("router");
        Assert.That(Waiting.Until(() => Routers() == "2", TimeSpan.FromSeconds(10)), "the router is back in etcd");

        _lab.Etcd.Signal("etcd", 9);
        Assert.That(Seen("outage, the view is", first), Does.Contain("8 addresses on 2 hosts"));
        _ = Seen("not published", first);
        _lab.StartEtcd();
        _ = Seen("locations from etcd: current, 8 addresses", first);
    }

    /// <summary>Base64 of "FreeFlow/v1/routers/" and of the byte after it: how many routers etcd knows.</summary>
    private string Routers()
    {
        string answer = _lab.Etcd.Run(new CommandLine("curl", "-s", "-d", """{"key":"RnJlZUZsb3cvdjEvcm91dGVycy8=","range_end":"RnJlZUZsb3cvdjEvcm91dGVyczA="}""", $"{_lab.EtcdUrl}/v3/kv/range")).Output;
        return System.Text.RegularExpressions.Regex.Match(answer, "\"count\":\"(\\d+)\"").Groups[1].Value;
    }

    [Test]
    public void ACutLinkCarriesNothingUntilItIsMended()
    {
        using LabForOneTest lab = new();
        LabPlace from = lab.Lab["h1"]["a"];
        string to = lab.Lab["h2"]["a"].Address4;
        Assert.That(Ping(from, to));
        string status = lab.Lab["h1"].Run(new CommandLine(Artifacts.Cli, "status")).Output;
        Assert.That(status, Does.Contain($"locations from file {lab.Lab.LocationsFile}: current, 4 addresses on 2 hosts"));
        lab.Lab["h2"].Cut();
        Assert.That(lab.Lab["h2"].LinkState(), Is.EqualTo("cut"));
        Assert.That(Ping(from, to), Is.False);
        lab.Lab["h2"].Mend();
        Assert.That(Ping(from, to));

        lab.Lab["h2"].Slow(new LinkDescription(Rate: "8mbit"));
        Assert.That(lab.Lab["h2"].LinkState(), Is.EqualTo("up, rate 8Mbit"));
        lab.Lab["h2"].Mend();
        Assert.That(lab.Lab["h2"].LinkState(), Is.EqualTo("up"));
    }

    [Test]
    public void DaemonsAndHostsDieAndComeBack()
    {
        using LabForOneTest lab = new();
        LabHost host = lab.Lab["h2"];
        int router = host.DaemonPid("router");
        host.Kill("router");
        Assert.That(host.DaemonPid("router"), Is.Zero);
        Assert.That(RouterStatus.TryQuery(host.RouterSocket), Is.Null);
        host.Start("router");
        Assert.That(host.DaemonPid("router"), Is.Not.EqualTo(router).And.Not.Zero);
        Assert.Throws<LabException>(() => host.Start("router"), "a second router on one host");

        host.Kill();
        Assert.That(host.Containers.Any(container => container.IsRunning), Is.False);
        Assert.That(Ping(lab.Lab["h1"]["a"], host["a"].Address4), Is.False);
        host.Start();
        Assert.That(Ping(lab.Lab["h1"]["a"], host["a"].Address4));
        Assert.That(host.Status().Processes, Is.Empty);
    }

    [Test]
    public void OrphansDoNotStayAsZombies()
    {
        LabPlace place = _lab["h1"]["b"];
        _ = place.Run(new CommandLine("sh", "-c", "sleep 0.01 & exit 0")).Succeeded("sh");
        Assert.That(Waiting.Until(() => ProcessTree.Members(place.NamespacePid).Count == 2, TimeSpan.FromSeconds(5)), "more than the first process and its sleep is left");
    }

    private static bool Ping(Place from, string to) => from.Run(new CommandLine("ping", "-c", "1", "-W", "1", to)).ExitCode == 0;

    private static CommandLine Accelerated(CommandLine command) => command.WithPreload().With("FREEFLOW_OFFER_AFTER", "0").With("FREEFLOW_JOIN", "wait");

    /// <summary>One that may be broken, without etcd.</summary>
    private sealed class LabForOneTest : IDisposable
    {
        public Laboratory Lab { get; } = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 1, etcd: false));

        public void Dispose() => Lab.Dispose();
    }
}
