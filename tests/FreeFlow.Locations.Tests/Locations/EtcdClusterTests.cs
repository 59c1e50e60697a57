using System;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>Three members, of which one is lost, and of which two are.</summary>
public sealed class EtcdClusterTests
{
    private const string A = LocationKeys.AddressPrefix;

    [Test]
    public async Task The_loss_of_any_member_is_bridged_and_a_minority_is_not_believed()
    {
        EtcdServer[] servers = EtcdServer.RunCluster(3);
        try
        {
            Lines log = new();
            using EtcdHand hand = new(servers[0].Options(servers[1], servers[2]));
            using EtcdClient client = new(servers[0].Options(servers[1], servers[2]));
            await using EtcdLocations locations = new(client, log.Add);
            hand.Put(A + "10.0.0.1", "192.168.0.1");
            locations.Start();
            Eventually.True(() => locations.View.State == LocationState.Current, "the view is current");

            // The very member that is watched.
            EtcdServer watched = servers.Single(server => new Uri(server.Url).Authority == locations.View.Detail);
            watched.Kill();
            hand.Put(A + "10.0.0.2", "192.168.0.2");
            Eventually.True(() => Found(locations, "10.0.0.2", "192.168.0.2"), "another member is watched", () => log.ToString());

            // One of three cannot know what the others agree on: its silence is no news.
            EtcdServer second = servers.Single(server => new Uri(server.Url).Authority != locations.View.Detail && server != watched);
            second.Kill();
            Eventually.True(() => locations.View.State == LocationState.Stale, "a member without leader is no source", () => log.ToString());
            Assert.That(Found(locations, "10.0.0.2", "192.168.0.2"), Is.True, "the last view stays");

            second.Start();
            Eventually.True(() => locations.View.State == LocationState.Current, "the majority is back", () => log.ToString());
            hand.Delete(A + "10.0.0.1");
            Eventually.True(() => locations.Find(Read("10.0.0.1"), out _) == LocationAnswer.Nowhere, "changes are seen");
        }
        finally
        {
            foreach (EtcdServer server in servers) server.Dispose();
        }
    }

    private static bool Found(ILocations locations, string address, string host) => locations.Find(Read(address), out Host? found) == LocationAnswer.Found && found!.Address == Read(host);

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
