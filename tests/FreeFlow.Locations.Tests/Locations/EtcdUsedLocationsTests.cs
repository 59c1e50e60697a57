using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>The view of a host in a large cluster: only what is asked for.</summary>
public sealed class EtcdUsedLocationsTests
{
    private const string A = LocationKeys.AddressPrefix;

    [Test]
    public async Task An_address_is_learnt_when_it_is_asked_for_and_followed_from_then_on()
    {
        using EtcdServer server = EtcdServer.Run();
        using Relay relay = new(server.Url);
        using EtcdHand hand = new(server.Options());
        using EtcdClient client = new(server.Options() with { Endpoints = [new(relay.Url)] });
        hand.PutAll(Enumerable.Range(0, 500).Select(i => ($"{A}10.0.{i / 250}.{i % 250 + 1}", "192.168.0.1")));
        hand.Put(LocationKeys.RouterPrefix + "192.168.0.1", """{"port":7471}""");
        Lines log = new();
        await using EtcdUsedLocations locations = new(client, log.Add);
        ConcurrentQueue<LocationChange> changes = new();
        locations.Changed += changes.Enqueue;
        locations.Start();

        Assert.That(locations.Find(Read("10.0.0.1"), out _), Is.EqualTo(LocationAnswer.Unknown));
        Eventually.True(() => locations.Find(Read("10.0.0.1"), out _) == LocationAnswer.Found, "the answer comes", () => log.ToString());
        Eventually.True(() => locations.Find(Read("10.0.0.1"), out Host? host) == LocationAnswer.Found && host!.Router?.Port == 7471, "and its host's router with it");
        Assert.That(locations.View.Addresses, Is.EqualTo(1), "nobody asked for the others");

        // An address that nobody has is answered too, and followed as well.
        Assert.That(locations.Find(Read("10.9.9.9"), out _), Is.EqualTo(LocationAnswer.Unknown));
        Eventually.True(() => changes.Contains(new(Read("10.9.9.9"), null)), "nowhere is an answer");
        Assert.That(locations.Find(Read("10.9.9.9"), out _), Is.EqualTo(LocationAnswer.Nowhere));
        hand.Put(A + "10.9.9.9", "192.168.0.9");
        Eventually.True(() => locations.Find(Read("10.9.9.9"), out _) == LocationAnswer.Found, "it appears");

        // Many at once share one watch, which is opened again for them and misses nothing.
        for (int i = 0; i < 200; i++) locations.Find(Read($"10.0.0.{i + 1}"), out _);
        Eventually.True(() => locations.View.Addresses == 201, "all are learnt");
        relay.Cut();
        hand.Put(A + "10.0.0.1", "192.168.0.2");
        hand.Delete(A + "10.0.0.2");
        relay.Mend();
        Eventually.True(() => locations.Find(Read("10.0.0.1"), out Host? host) == LocationAnswer.Found && host!.Address == Read("192.168.0.2"), "a move behind a cut is seen");
        Eventually.True(() => locations.Find(Read("10.0.0.2"), out _) == LocationAnswer.Nowhere, "an end behind a cut is seen");
    }

    [Test]
    public async Task What_is_not_used_is_forgotten_and_a_program_that_asks_for_everything_costs_no_memory()
    {
        using EtcdServer server = EtcdServer.Run();
        using EtcdHand hand = new(server.Options());
        using EtcdClient client = new(server.Options());
        hand.PutAll(Enumerable.Range(0, 200).Select(i => ($"{A}10.0.0.{i + 1}", "192.168.0.1")));
        await using EtcdUsedLocations locations = new(client, _ => { }, most: 50, keep: TimeSpan.FromSeconds(2));
        locations.Start();
        for (int i = 0; i < 200; i++) locations.Find(Read($"10.0.0.{i + 1}"), out _);
        Eventually.True(() => locations.Find(Read("10.0.0.200"), out _) == LocationAnswer.Found, "the last is learnt");
        Assert.That(locations.View.Addresses, Is.LessThanOrEqualTo(50));
        Eventually.True(() => locations.View.Addresses == 0, "nobody asks any more");
        Assert.That(locations.Find(Read("10.0.0.200"), out _), Is.EqualTo(LocationAnswer.Unknown), "it is asked for anew");
        Eventually.True(() => locations.Find(Read("10.0.0.200"), out _) == LocationAnswer.Found, "and learnt anew");
    }

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
