using System;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Publishing;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Hunter;

/// <summary>Two nodes' publishers and other people's hands at one etcd.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class PublisherTests : IDisposable
{
    private const string A = LocationKeys.AddressPrefix, Key = A + "10.0.0.1";
    private readonly EtcdServer _server = EtcdServer.Run();
    private readonly EtcdHand _hand;
    private readonly Relay _relay;
    private readonly EtcdClient _client, _otherClient;
    private readonly Lines _log = new(), _otherLog = new();
    private readonly Publisher _publisher, _other;

    public PublisherTests()
    {
        _hand = new(_server.Options());
        _relay = new(_server.Url);
        _client = new(_server.Options() with { Endpoints = [new(_relay.Url)] });
        _otherClient = new(_server.Options());
        _publisher = new(_client, Settings("192.168.0.1"), _log.Add);
        _other = new(_otherClient, Settings("192.168.0.2"), _otherLog.Add);
    }

    public void Dispose()
    {
        _publisher.DisposeAsync().AsTask().Wait();
        _other.DisposeAsync().AsTask().Wait();
        _client.Dispose();
        _otherClient.Dispose();
        _relay.Dispose();
        _hand.Dispose();
        _server.Dispose();
    }

    [Test]
    public void Keys_are_written_under_a_lease_and_deleted_at_once()
    {
        for (int i = 1; i <= 250; i++) _publisher.Want($"{A}10.0.1.{i}", "192.168.0.1", newer: false);
        _publisher.Start();
        Eventually.True(() => _publisher.Status.Held == 250, "all are held", () => _log.ToString());
        KeyValue entry = _hand.Entry(A + "10.0.1.250")!;
        Assert.That((System.Text.Encoding.UTF8.GetString(entry.value), entry.lease), Is.EqualTo(("192.168.0.1", _publisher.Status.Lease)));
        for (int i = 1; i <= 250; i++) if (i != 7) _publisher.Drop($"{A}10.0.1.{i}");
        Eventually.True(() => _hand.Keys(A).Length == 1, "the others are gone");
        Assert.That(_hand.Keys(A), Is.EqualTo(new[] { A + "10.0.1.7" }));
    }

    [Test]
    public void A_newer_claim_wins_and_the_older_one_comes_back_when_it_goes()
    {
        _publisher.Want(Key, "192.168.0.1", newer: false);
        _publisher.Start();
        _other.Start();
        Eventually.True(() => _publisher.Status.Held == 1, "the first has it");
        _other.Want(Key, "192.168.0.2", newer: true);
        Eventually.True(() => _other.Status.Held == 1 && _publisher.Status.Lost == 1, "the second has it");
        Assert.That(_hand.Get(Key), Is.EqualTo("192.168.0.2"));
        Assert.That((_log.Count("two claims on"), _otherLog.Count("two claims on")), Is.EqualTo((1, 1)), $"{_log}\n{_otherLog}");

        // What the loser no longer wants is none of its business: the entry is the same, not one that its owner had to write again.
        long revision = _hand.Entry(Key)!.mod_revision;
        _publisher.Want(A + "10.0.0.9", "192.168.0.1", newer: false);
        _publisher.Drop(Key);
        Eventually.True(() => _publisher.Status is { Held: 1, Lost: 0, Waiting: 0 }, "it has given up");
        Assert.That(_hand.Entry(Key)?.mod_revision, Is.EqualTo(revision), "another node's key is not touched");

        _publisher.Want(Key, "192.168.0.1", newer: false);
        Eventually.True(() => _publisher.Status.Lost == 1, "an old claim does not replace a living one");
        _other.Drop(Key);
        Eventually.True(() => _hand.Get(Key) == "192.168.0.1", "it is free, so it is taken");
    }

    [Test]
    public void What_was_there_at_start_does_not_replace_another_nodes_living_claim()
    {
        long lease = _hand.Grant(60);
        _hand.Put(Key, "192.168.0.7", lease);
        _publisher.Want(Key, "192.168.0.1", newer: false);
        _publisher.Start();
        Eventually.True(() => _publisher.Status.Lost == 1, "it is left alone");
        Assert.That(_hand.Get(Key), Is.EqualTo("192.168.0.7"));
        Assert.That(_log.Count("two claims on"), Is.EqualTo(1));
        _hand.Revoke(lease);
        Eventually.True(() => _hand.Get(Key) == "192.168.0.1", "the other node has died");
    }

    [TestCase("192.168.0.1")]
    [TestCase("192.168.0.7")]
    public void An_entry_without_a_lease_gets_one(string before)
    {
        _hand.Put(Key, before);
        _publisher.Want(Key, "192.168.0.1", newer: false);
        _publisher.Start();
        Eventually.True(() => _publisher.Status.Held == 1, "it is held");
        Assert.That(_hand.Entry(Key)!.lease, Is.EqualTo(_publisher.Status.Lease));
        _hand.Put(Key, "192.168.0.1");
        Eventually.True(() => _hand.Entry(Key)!.lease == _publisher.Status.Lease, "the writer without leases has said the same again");
    }

    [Test]
    public void A_prefix_that_somebody_deletes_is_written_again()
    {
        for (int i = 1; i <= 20; i++) _publisher.Want($"{A}10.0.1.{i}", "192.168.0.1", newer: false);
        _publisher.Start();
        Eventually.True(() => _publisher.Status.Held == 20, "all are held");
        // The original hunter does this at each start.
        _hand.DeletePrefix(A);
        Eventually.True(() => _hand.Keys(A).Length == 20, "all are back");
    }

    [Test]
    public void A_lease_that_ended_behind_a_cut_is_replaced_and_the_keys_are_written_again()
    {
        _publisher.Want(A + "10.0.0.2", "192.168.0.1", newer: false);
        _publisher.Want(Key, "192.168.0.1", newer: false);
        _publisher.Start();
        Eventually.True(() => _publisher.Status.Held == 2, "both are held");
        _relay.Cut();
        Eventually.True(() => _hand.Get(Key) is null, "a node that is cut off vanishes");
        Assert.That(_publisher.Status.Problem, Is.Not.Null);
        // Another node takes one of the two while we are away: its claim is the later one.
        _other.Want(Key, "192.168.0.2", newer: false);
        _other.Start();
        Eventually.True(() => _other.Status.Held == 1, "the other has it");
        _relay.Mend();
        Eventually.True(() => _publisher.Status is { Held: 1, Lost: 1 } && _hand.Get(A + "10.0.0.2") == "192.168.0.1", "what is free is ours again", () => $"{_log}\n{_otherLog}");
        Assert.That(_hand.Get(Key), Is.EqualTo("192.168.0.2"), "what another has claimed is not");
        _other.Drop(Key);
        Eventually.True(() => _hand.Get(Key) == "192.168.0.1", "until it goes");
        Assert.That((_log.Count("does not take our entries"), _log.Count("answers again")), Is.EqualTo((1, 1)), _log.ToString());
    }

    [Test]
    public async Task A_successor_takes_over_without_a_gap_and_ends_what_is_no_longer_there()
    {
        _publisher.Want(Key, "192.168.0.1", newer: false);
        _publisher.Want(A + "10.0.0.2", "192.168.0.1", newer: false);
        _publisher.Complete();
        _publisher.Start();
        Eventually.True(() => _publisher.Status.Held == 2, "both are held");
        long revision = _hand.Entry(Key)!.version;
        await _publisher.DisposeAsync();

        using EtcdClient client = new(_server.Options());
        await using Publisher successor = new(client, Settings("192.168.0.1"), _log.Add);
        successor.Want(Key, "192.168.0.1", newer: false);
        successor.Start();
        Eventually.True(() => successor.Status.Held == 1, "it is taken over");
        Assert.That(_hand.Entry(Key)!.version, Is.EqualTo(revision + 1), "written over, not deleted and made again");
        Assert.That(_hand.Get(A + "10.0.0.2"), Is.EqualTo("192.168.0.1"), "the picture is not complete yet");
        successor.Complete();
        Eventually.True(() => _hand.Get(A + "10.0.0.2") is null, "the predecessor's lease is ended");
        Assert.That(_hand.Get(Key), Is.EqualTo("192.168.0.1"));
        Assert.That(_log.Count("two claims"), Is.Zero, "one node, one claim");
    }

    [Test]
    public async Task Whole_prefixes_are_watched_when_the_keys_are_many()
    {
        using EtcdClient client = new(_server.Options());
        await using Publisher many = new(client, Settings("192.168.0.3"), _log.Add);
        for (int i = 0; i < 3000; i++) many.Want($"{A}10.1.{i / 250}.{i % 250 + 1}", "192.168.0.3", newer: false);
        many.Start();
        Eventually.True(() => many.Status.Held == 3000, "all are held", () => $"{many.Status}\n{_log}");
        _hand.Delete(A + "10.1.3.3");
        Eventually.True(() => _hand.Get(A + "10.1.3.3") == "192.168.0.3", "a deleted one is back");
        _hand.Put(A + "10.1.3.3", "192.168.0.9", _hand.Grant(60));
        Eventually.True(() => many.Status.Lost == 1, "a newer claim is seen");
    }

    [Test]
    public async Task A_publisher_that_withdraws_leaves_nothing()
    {
        using EtcdClient client = new(_server.Options());
        Publisher short_lived = new(client, Settings("192.168.0.4") with { WithdrawOnStop = true }, _log.Add);
        short_lived.Want(Key, "192.168.0.4", newer: false);
        short_lived.Start();
        Eventually.True(() => short_lived.Status.Held == 1, "it is held");
        await short_lived.DisposeAsync();
        Assert.That(_hand.Keys(A), Is.Empty);
    }

    private static PublisherOptions Settings(string host) => new() { LeaseTime = TimeSpan.FromSeconds(3), OwnerKey = LocationKeys.HunterPrefix + host, OwnerName = "node" };
}
