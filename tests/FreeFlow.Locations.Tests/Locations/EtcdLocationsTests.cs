using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>A router's view of a real etcd that is used, killed, compacted and replaced.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class EtcdLocationsTests : IDisposable
{
    private const string A = LocationKeys.AddressPrefix;
    private readonly EtcdServer _server = EtcdServer.Run();
    private readonly EtcdHand _hand;
    private readonly Relay _relay;
    private readonly EtcdClient _client;
    private readonly EtcdLocations _locations;
    private readonly Lines _log = new();
    private readonly ConcurrentQueue<LocationChange> _changes = new();

    public EtcdLocationsTests()
    {
        _hand = new(_server.Options());
        _relay = new(_server.Url);
        _client = new(_server.Options() with { Endpoints = [new(_relay.Url)] });
        _locations = new(_client, _log.Add);
        _locations.Changed += _changes.Enqueue;
    }

    public void Dispose()
    {
        _locations.DisposeAsync().AsTask().Wait();
        _client.Dispose();
        _hand.Dispose();
        _relay.Dispose();
        _server.Dispose();
    }

    [Test]
    public void What_is_there_is_listed_and_what_comes_is_seen()
    {
        Assert.That(_locations.Find(Read("10.0.0.1"), out _), Is.EqualTo(LocationAnswer.Unknown), "nothing is learnt yet");
        _hand.Put(A + "10.0.0.1", "192.168.0.1");
        _hand.Put("Kubernetes/Nodes/192.168.0.1", "node-1");
        _hand.Put("FreeFlow/v1/routers/192.168.0.1", """{"port":7471,"capabilities":["rdma","tcp"],"later":{"unknown":[1]}}""");
        StartAndWait();
        Assert.That(_locations.Find(Read("10.0.0.1"), out Host? host), Is.EqualTo(LocationAnswer.Found));
        Assert.That((host!.Address, host.Name, host.Router!.Port), Is.EqualTo((Read("192.168.0.1"), "node-1", 7471)));
        Assert.That(_locations.Find(Read("10.0.0.2"), out _), Is.EqualTo(LocationAnswer.Nowhere));

        // Several events of one transaction come in one answer: each counts.
        _hand.PutAll([(A + "10.0.0.2", "192.168.0.2"), (A + "10.0.0.3", "192.168.0.2"), (A + "fd00::4", "192.168.0.2")]);
        Eventually.True(() => Found("10.0.0.2", "192.168.0.2") && Found("10.0.0.3", "192.168.0.2") && Found("fd00::4", "192.168.0.2"), "all three are seen");
        _hand.Put(A + "10.0.0.2", "192.168.0.3");
        Eventually.True(() => Found("10.0.0.2", "192.168.0.3"), "the move is seen");
        _hand.Delete(A + "10.0.0.2");
        Eventually.True(() => Nowhere("10.0.0.2"), "the end is seen");
        Assert.That(_log.Count("locations from etcd"), Is.EqualTo(1), _log.ToString());
    }

    [TestCase("10.0.0.1/24", "192.168.0.1")]
    [TestCase("127.0.0.1", "192.168.0.1")]
    [TestCase("10.0.0.1", "")]
    [TestCase("10.0.0.1", "127.0.0.1")]
    [TestCase("10.0.0.1", "{\"host\":\"192.168.0.1\"}")]
    [TestCase("", "192.168.0.1")]
    public void An_entry_that_cannot_be_read_is_left_out(string key, string value)
    {
        _hand.Put(A + key, value);
        _hand.Put("Kubernetes/Nodes/192.168.0.9", new string('x', 5000));
        _hand.Put("FreeFlow/v1/routers/192.168.0.9", "no json");
        _hand.Put(A + "10.0.0.9", "192.168.0.9");
        StartAndWait();
        Assert.That(_locations.View.Addresses, Is.EqualTo(1));
        _locations.Find(Read("10.0.0.9"), out Host? host);
        Assert.That(host, Is.EqualTo(new Host(Read("192.168.0.9"), null, null)));
        _hand.Put(A + "10.0.0.9", "nonsense");
        Eventually.True(() => Nowhere("10.0.0.9"), "an unreadable new value ends the old one");
    }

    [Test]
    public void An_outage_keeps_the_last_view_with_its_age_and_nothing_is_missed()
    {
        _hand.Put(A + "10.0.0.1", "192.168.0.1");
        StartAndWait();
        _server.Kill();
        Eventually.True(() => _locations.View is { State: LocationState.Stale, Age.TotalSeconds: > 0.5 }, "the view grows old");
        Assert.That(Found("10.0.0.1", "192.168.0.1"), Is.True);
        Assert.That(_locations.View.ToString(), Does.Contain("s old, 1 addresses on 1 hosts"));
        _server.Start();
        _server.WaitReady();
        _hand.Put(A + "10.0.0.2", "192.168.0.2");
        Eventually.True(() => Found("10.0.0.2", "192.168.0.2") && _locations.View.State == LocationState.Current, "the view is current again");
        Assert.That(_locations.View.Age, Is.EqualTo(TimeSpan.Zero));
        Assert.That((_log.Count("no longer current"), _log.Count("locations from etcd: current")), Is.EqualTo((1, 2)), _log.ToString());
    }

    [Test]
    public void An_etcd_that_is_away_at_start_is_waited_for()
    {
        _hand.Put(A + "10.0.0.1", "192.168.0.1");
        _server.Kill();
        _locations.Start();
        Eventually.True(() => _log.Count("no locations from etcd yet") == 1, "the outage is said");
        Assert.That(_locations.Find(Read("10.0.0.1"), out _), Is.EqualTo(LocationAnswer.Unknown));
        _server.Start();
        Eventually.True(() => Found("10.0.0.1", "192.168.0.1"), "the view is there");
    }

    [Test]
    public void What_was_compacted_away_during_an_outage_is_listed_again()
    {
        _hand.Put(A + "10.0.0.1", "192.168.0.1");
        _hand.Put(A + "10.0.0.2", "192.168.0.1");
        StartAndWait();
        _relay.Cut();
        Eventually.True(() => _locations.View.State == LocationState.Stale, "the outage is seen");
        _hand.Delete(A + "10.0.0.1");
        _hand.Put(A + "10.0.0.2", "192.168.0.2");
        _hand.Put(A + "10.0.0.3", "192.168.0.3");
        _hand.Compact();
        _relay.Mend();
        Eventually.True(() => Nowhere("10.0.0.1") && Found("10.0.0.2", "192.168.0.2") && Found("10.0.0.3", "192.168.0.3"), "the picture is right", () => _log.ToString());
        Assert.That(_changes.Count(change => change.Address == Read("10.0.0.1")), Is.EqualTo(2), "come and gone, once each");
    }

    [Test]
    public void What_happened_behind_a_cut_is_seen_after_it_without_a_list()
    {
        _hand.Put(A + "10.0.0.1", "192.168.0.1");
        StartAndWait();
        _relay.Cut();
        Eventually.True(() => _locations.View.State == LocationState.Stale, "the outage is seen");
        _hand.Put(A + "10.0.0.1", "192.168.0.2");
        _hand.Delete(A + "10.0.0.1");
        _hand.Put(A + "10.0.0.1", "192.168.0.3");
        _relay.Mend();
        Eventually.True(() => Found("10.0.0.1", "192.168.0.3"), "the last word counts");
        // A list would know the last state only.
        Assert.That(_changes.Select(change => change.Host?.Address.ToString()), Is.EqualTo(new[] { "192.168.0.1", "192.168.0.2", null, "192.168.0.3" }));
    }

    [Test]
    public void An_etcd_with_other_data_is_listed_again()
    {
        for (int i = 1; i < 20; i++) _hand.Put(A + "10.0.0.1", $"192.168.0.{i}");
        StartAndWait();
        Assert.That(Found("10.0.0.1", "192.168.0.19"), Is.True);
        _server.Kill();
        _server.Wipe();
        _server.Start();
        _server.WaitReady();
        _hand.Put(A + "10.0.0.2", "192.168.0.2");
        Eventually.True(() => Found("10.0.0.2", "192.168.0.2") && Nowhere("10.0.0.1"), "only the new data counts", () => _log.ToString());
    }

    [Test]
    public void A_member_that_hangs_is_noticed()
    {
        _hand.Put(A + "10.0.0.1", "192.168.0.1");
        StartAndWait();
        _server.Signal(TestProcess.SIGSTOP);
        Eventually.True(() => _locations.View.State == LocationState.Stale, "the silence is noticed");
        _server.Signal(TestProcess.SIGCONT);
        _hand.Put(A + "10.0.0.2", "192.168.0.2");
        Eventually.True(() => Found("10.0.0.2", "192.168.0.2"), "it goes on");
    }

    private void StartAndWait()
    {
        _locations.Start();
        Eventually.True(() => _locations.View.State == LocationState.Current, "the view is current", () => _log.ToString());
    }

    private bool Found(string address, string host) => _locations.Find(Read(address), out Host? found) == LocationAnswer.Found && found!.Address == Read(host);

    private bool Nowhere(string address) => _locations.Find(Read(address), out _) == LocationAnswer.Nowhere;

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
