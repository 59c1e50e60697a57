using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Identities;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Identities;

/// <summary>Who has an address, out of each of the sources.</summary>
public sealed class IdentityViewTests
{
    private const string A = LocationKeys.AddressPrefix, I = LocationKeys.IdentityPrefix;
    private const string Front = """{"host":"192.168.0.1","namespace":"web","name":"front-1","labels":{"app":"front"}}""";

    private static readonly Identity s_front = new("web", null, [new("app", "front")]);

    /// <summary>In both of its readers: everything, and what is used.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task Etcd_says_it_with_the_host_that_the_address_lives_on(bool used)
    {
        using EtcdServer server = EtcdServer.Run();
        using EtcdHand hand = new(server.Options());
        using EtcdClient client = new(server.Options());
        hand.PutAll([(A + "10.0.0.1", "192.168.0.1"), (I + "10.0.0.1", Front), (I + "10.0.0.2", "no json")]);
        await using ILocations locations = used ? new EtcdUsedLocations(client, _ => { }) : new EtcdLocations(client, _ => { });
        ConcurrentQueue<Address> changes = new();
        locations.IdentityChanged += changes.Enqueue;
        locations.FollowIdentities();
        locations.Start();
        Address address = Read("10.0.0.1");
        Eventually.True(() => s_front.Equals(locations.IdentityOf(address)), "it is learnt, without the name, which is for people");
        Eventually.True(() => changes.Contains(address), "and told");
        Assert.That(locations.IdentityOf(Read("10.0.0.2")), Is.Null);

        hand.Put(I + "10.0.0.1", Front.Replace("front", "back", StringComparison.Ordinal));
        Eventually.True(() => locations.IdentityOf(address)?["app"] == "back", "a change is seen");
        // Two nodes claim it, and each says who has it: only the word of the one that it lives on counts.
        hand.Put(A + "10.0.0.1", "192.168.0.2");
        Eventually.True(() => locations.IdentityOf(address) is null, "it has moved, and nobody there has said yet who it is");
        hand.Put(I + "10.0.0.1", Front.Replace("0.1", "0.2", StringComparison.Ordinal));
        Eventually.True(() => s_front.Equals(locations.IdentityOf(address)), "now somebody has");
        hand.Put(I + "10.0.0.1", "[]");
        Eventually.True(() => locations.IdentityOf(address) is null, "what cannot be read is not the old one either");
        hand.Put(I + "10.0.0.1", Front.Replace("0.1", "0.2", StringComparison.Ordinal));
        Eventually.True(() => s_front.Equals(locations.IdentityOf(address)), "it is there again");
        hand.Delete(I + "10.0.0.1");
        Eventually.True(() => locations.IdentityOf(address) is null, "it is gone");
    }

    [Test]
    public async Task A_file_says_it_and_a_mistake_in_it_changes_nothing()
    {
        using TestFolder folder = new();
        string path = folder.Write("locations", "10.0.0.1 192.168.0.1 namespace=web labels=app=front\n10.0.0.2 192.168.0.1 labels=\n10.0.0.3 192.168.0.1\n");
        await using FileLocations locations = new(path, _ => { });
        locations.Start();
        Eventually.True(() => s_front.Equals(locations.IdentityOf(Read("10.0.0.1"))), "it is read");
        Eventually.True(() => new Identity(null, null, []).Equals(locations.IdentityOf(Read("10.0.0.2"))), "and the line behind it");
        Assert.That(locations.IdentityOf(Read("10.0.0.3")), Is.Null);
        Assert.That(locations.View.Identities, Is.EqualTo(2));
        folder.Write("locations", "10.0.0.1 192.168.0.1 namespace=web labels=app\n");
        Eventually.True(() => locations.View.Detail?.Contains("line 1: 'app' is no label; write KEY=VALUE", StringComparison.Ordinal) == true, "the mistake is said", () => locations.View.ToString());
        Assert.That(locations.IdentityOf(Read("10.0.0.1")), Is.EqualTo(s_front));
        folder.Write("locations", "10.0.0.1 192.168.0.1\n");
        Eventually.True(() => locations.IdentityOf(Read("10.0.0.1")) is null, "nobody says it any more");
    }

    [Test]
    public void What_many_addresses_have_in_common_is_kept_once()
    {
        IdentityTable table = new();
        Address host = Read("192.168.0.1");
        for (uint i = 0; i < 1000; i++) table.Set(Address.FromIPv4(0x0a000001 + i), host, new("web", $"front-{i}", [new("app", $"app{i % 10}")]));
        Assert.That(table.Counts, Is.EqualTo((1000, 10)));
        Assert.That(table.Find(Read("10.0.0.1"), host), Is.SameAs(table.Find(Read("10.0.0.11"), host)));
        for (uint i = 0; i < 1000; i++) table.Remove(Address.FromIPv4(0x0a000001 + i));
        Assert.That(table.Counts, Is.EqualTo((0, 0)));
    }

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
