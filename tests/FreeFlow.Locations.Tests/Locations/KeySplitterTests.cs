using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

public sealed class KeySplitterTests
{
    [Test]
    public void What_lies_between_is_behind_the_one_and_before_the_other([Range(1, 4)] int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 20_000; i++)
        {
            // Few values, the least and the largest among them: long common beginnings, and neighbours.
            byte[] one = Word(random), other = Word(random);
            int order = one.AsSpan().SequenceCompareTo(other);
            if (order == 0) continue;
            (byte[] low, byte[] high) = order < 0 ? (one, other) : (other, one);
            byte[]? between = KeySplitter.Between(low, high);
            string what = $"{Convert.ToHexString(low)} < {(between is null ? "nothing" : Convert.ToHexString(between))} < {Convert.ToHexString(high)}";
            if (between is null) Assert.That(high.SequenceEqual((byte[])[.. low, 0]), Is.True, what);
            else Assert.That(low.AsSpan().SequenceCompareTo(between) < 0 && between.AsSpan().SequenceCompareTo(high) < 0, Is.True, what);
        }
    }

    /// <summary>Addresses are not spread evenly over the bytes that keys may have.</summary>
    [Test]
    public async Task The_middle_of_real_addresses_is_found_and_a_list_in_two_parts_is_whole()
    {
        using EtcdServer server = EtcdServer.Run();
        using EtcdHand hand = new(server.Options());
        HashSet<string> keys = [.. Enumerable.Range(0, 28_000).Select(i => $"{LocationKeys.AddressPrefix}10.{i % 7}.{i / 250}.{i % 250 + 1}"), .. Enumerable.Range(0, 4_000).Select(i => $"{LocationKeys.AddressPrefix}fd00:12:34::{i:x}")];
        hand.PutAll(keys.Select(key => (key, "192.168.0.1")));
        // Neighbours of the range, which are none of its keys.
        hand.Put(LocationKeys.AddressPrefix[..^1], "192.168.0.2");
        hand.Put(LocationKeys.AddressPrefix[..^1] + "0", "192.168.0.2");
        using EtcdClient client = new(server.Options());
        KeyRange range = KeyRange.Prefix(LocationKeys.AddressPrefix);
        byte[]? middle = await KeySplitter.MiddleAsync(client, range.Key, range.End!, keys.Count, 0, CancellationToken.None);
        Assert.That(middle, Is.Not.Null);
        int before = keys.Count(key => Encoding.UTF8.GetBytes(key).AsSpan().SequenceCompareTo(middle) < 0);
        Assert.That(before, Is.InRange(keys.Count / 3, keys.Count * 2 / 3), Encoding.UTF8.GetString(middle!));

        ListedKeys listed = new();
        ResponseHeader seen = await new KeyLister(client, listed).ListAsync(range, CancellationToken.None);
        Assert.That(listed.Keys, Has.Count.EqualTo(keys.Count), "each once");
        Assert.That(keys.SetEquals(listed.Keys), Is.True, "and no other");
        Assert.That(listed.Ended, Is.EqualTo(seen.revision));
    }

    private static byte[] Word(Random random)
    {
        byte[] word = new byte[random.Next(6)];
        for (int i = 0; i < word.Length; i++) word[i] = random.Next(4) switch { 0 => 0, 1 => 1, 2 => 0x31, _ => 0xff };
        return word;
    }

    private sealed class ListedKeys : IKeySink
    {
        public List<string> Keys { get; } = [];

        public long Ended { get; private set; }

        void IKeySink.ListBegins(KeyRange range) => Keys.Clear();

        void IKeySink.Listed(KeyRange range, KeyValue entry) => Keys.Add(Encoding.UTF8.GetString(entry.key));

        void IKeySink.ListEnds(KeyRange range, long revision) => Ended = revision;

        void IKeySink.Put(KeyRange range, KeyValue entry) => Assert.Fail("nothing is watched");

        void IKeySink.Deleted(KeyRange range, KeyValue entry) => Assert.Fail("nothing is watched");

        void IKeySink.Current(Uri endpoint, long revision) => Assert.Fail("nothing is watched");

        void IKeySink.Outage(string reason, long lastHeard) => Assert.Fail("nothing is watched");
    }
}
