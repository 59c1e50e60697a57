using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>Lists of many pages, from a real etcd: by gRPC, and where that is not to be had.</summary>
public sealed class KeyListerTests
{
    private const string A = LocationKeys.AddressPrefix;

    private readonly HashSet<string> _keys = [.. Enumerable.Range(0, 14_000).Select(i => $"{A}10.{i % 7}.{i / 250}.{i % 250 + 1}"), .. Enumerable.Range(0, 2_000).Select(i => $"{A}fd00:12:34::{i:x}")];

    [Test]
    public async Task A_long_list_has_each_key_once_and_no_other()
    {
        using EtcdServer server = Filled();
        using EtcdClient client = new(server.Options());
        await CheckWhole(client);
    }

    [TestCase("all", 0)]
    [TestCase("all", 7)]
    [TestCase("old", 0)]
    [TestCase("keys", 3)]
    [TestCase("none", 0)]
    public async Task What_gRPC_says_is_what_the_gateway_says(string which, int limit)
    {
        using EtcdServer server = EtcdServer.Run();
        using EtcdHand hand = new(server.Options());
        long lease = hand.Grant(600);
        for (int i = 0; i < 20; i++) hand.Put($"{A}10.0.0.{i}", new string('x', i * i * 100), i % 2 == 0 ? lease : 0);
        long old = hand.Revision;
        hand.Put(A + "10.0.0.3", "");
        using EtcdClient client = new(server.Options());
        KeyRange range = KeyRange.Prefix(which == "none" ? "nothing/" : A);
        RangeRequest request = new() { key = range.Key, range_end = range.End, limit = limit, revision = which == "old" ? old : 0, keys_only = which == "keys" };
        RangeResponse? answer = await client.RangeByGrpcAsync(request, CancellationToken.None);
        Assert.That(answer, Is.Not.Null);
        Assert.That(Text(answer!), Is.EqualTo(Text(await client.RangeAsync(request, CancellationToken.None))));
    }

    [Test]
    public async Task Behind_something_that_speaks_HTTP_1_only_the_list_is_the_same()
    {
        using EtcdServer server = Filled();
        using Relay relay = new(server.Url) { RefusesHttp2 = true };
        using EtcdClient client = new(server.Options() with { Endpoints = [new(relay.Url)] });
        Assert.That(await client.RangeByGrpcAsync(new() { key = "a"u8.ToArray() }, CancellationToken.None), Is.Null);
        await CheckWhole(client);
    }

    [Test]
    public async Task A_list_whose_endpoint_goes_away_is_ended_by_another_one()
    {
        using EtcdServer server = Filled();
        using Relay relay = new(server.Url);
        EtcdOptions options = server.Options();
        using EtcdClient client = new(options with { Endpoints = [new(relay.Url), .. options.Endpoints] });
        client.Avoid(options.Endpoints[0]);
        Assert.That(client.Endpoint, Is.EqualTo(new Uri(relay.Url)));
        await CheckWhole(client, atKey: 7_000, relay.Cut);
        Assert.That(client.Endpoint, Is.EqualTo(options.Endpoints[0]));
    }

    private EtcdServer Filled()
    {
        EtcdServer server = EtcdServer.Run();
        using EtcdHand hand = new(server.Options());
        hand.PutAll(_keys.Select(key => (key, "192.168.0.1")));
        // Neighbours of the range, which are none of its keys.
        hand.Put(A[..^1], "192.168.0.2");
        hand.Put(A[..^1] + "0", "192.168.0.2");
        return server;
    }

    private async Task CheckWhole(EtcdClient client, int atKey = 0, Action? then = null)
    {
        ListedKeys listed = new() { AtKey = atKey, Then = then };
        ResponseHeader seen = await new KeyLister(client, listed).ListAsync(KeyRange.Prefix(A), CancellationToken.None);
        Assert.That(listed.Keys, Has.Count.EqualTo(_keys.Count), "each once");
        Assert.That(_keys.SetEquals(listed.Keys), Is.True, "and no other");
        Assert.That(listed.Ended, Is.EqualTo(seen.revision));
    }

    private static string Text(RangeResponse answer) => JsonSerializer.Serialize(answer, EtcdJson.Default.RangeResponse);

    private sealed class ListedKeys : IKeySink
    {
        public List<string> Keys { get; } = [];

        public long Ended { get; private set; }

        public int AtKey { get; init; }

        public Action? Then { get; init; }

        void IKeySink.ListBegins(KeyRange range) => Keys.Clear();

        void IKeySink.Listed(KeyRange range, KeyValue entry)
        {
            Keys.Add(Encoding.UTF8.GetString(entry.key));
            if (Keys.Count == AtKey) Then?.Invoke();
        }

        void IKeySink.ListEnds(KeyRange range, long revision) => Ended = revision;

        void IKeySink.Put(KeyRange range, KeyValue entry) => Assert.Fail("nothing is watched");

        void IKeySink.Deleted(KeyRange range, KeyValue entry) => Assert.Fail("nothing is watched");

        void IKeySink.Current(Uri endpoint, long revision) => Assert.Fail("nothing is watched");

        void IKeySink.Outage(string reason, long lastHeard) => Assert.Fail("nothing is watched");
    }
}
