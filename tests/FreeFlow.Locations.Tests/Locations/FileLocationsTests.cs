using System;
using System.Collections.Concurrent;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Files;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

public sealed class FileLocationsTests
{
    [Test]
    public async Task A_file_is_followed_and_a_mistake_in_it_changes_nothing()
    {
        using TestFolder folder = new();
        Lines log = new();
        await using FileLocations locations = new(folder.File("locations"), log.Add);
        locations.Start();
        Eventually.True(() => log.Count("no locations from") == 1, "the missing file is reported");
        Assert.That(locations.Find(Read("10.0.0.1"), out _), Is.EqualTo(LocationAnswer.Unknown));

        folder.Write("locations", "# a comment\n10.0.0.1 192.168.0.1\nfd00::1\t192.168.0.2 # another\nrouter 192.168.0.1 port=7471 capabilities=rdma,tcp name=node-1\n");
        Eventually.True(() => locations.View.State == LocationState.Current, "the file is read");
        Assert.That(locations.Find(Read("10.0.0.1"), out Host? host), Is.EqualTo(LocationAnswer.Found));
        Assert.That((host!.Address, host.Name, host.Router!.Port, host.Router.Capabilities.Length), Is.EqualTo((Read("192.168.0.1"), "node-1", 7471, 2)));
        Assert.That(locations.Find(Read("10.0.0.2"), out _), Is.EqualTo(LocationAnswer.Nowhere));

        ConcurrentQueue<LocationChange> changes = new();
        locations.Changed += changes.Enqueue;
        folder.Write("locations", "10.0.0.1 192.168.0.9\n");
        Eventually.True(() => changes.Contains(new LocationChange(Read("10.0.0.1"), new Host(Read("192.168.0.9"), null, null))), "the move is told", () => string.Join(" ", changes));
        Assert.That(changes, Does.Contain(new LocationChange(Read("fd00::1"), null)));
        Assert.That(locations.Find(Read("fd00::1"), out _), Is.EqualTo(LocationAnswer.Nowhere));

        folder.Write("locations", "10.0.0.1 192.168.0.1\n10.0.0.2 nonsense\n");
        Eventually.True(() => locations.View.State == LocationState.Stale, "the mistake is seen");
        Assert.That(locations.View.Detail, Does.Contain("line 2").And.Contain("nonsense"));
        locations.Find(Read("10.0.0.1"), out host);
        Assert.That(host!.Address, Is.EqualTo(Read("192.168.0.9")), "half a file is not taken");

        File.Delete(folder.File("locations"));
        folder.Write("locations", "10.0.0.1 192.168.0.9\n");
        Eventually.True(() => locations.View.State == LocationState.Current, "the mended file is read");
        Assert.That(log.Count("no longer current"), Is.EqualTo(1), log.ToString());
    }

    [TestCase("10.0.0.1", "line 1: give a virtual IP and its host")]
    [TestCase("10.0.0.1 a b", "line 1: give a virtual IP and its host")]
    [TestCase("\n127.0.0.1 192.168.0.1", "line 2: '127.0.0.1' is not an address that can be reached")]
    [TestCase("10.0.0.1 192.168.0.1\n10.0.0.1 192.168.0.2", "line 2: 10.0.0.1 stands twice, with different hosts")]
    [TestCase("router 192.168.0.1 port=70000", "line 1: 'port=70000' is not port=NUMBER, capabilities=LIST or name=NAME")]
    public void A_mistake_is_named_with_its_line(string text, string message) =>
        Assert.That(() => LocationFile.Parse(text, hostRequired: true), Throws.InstanceOf<FormatException>().With.Message.EqualTo(message));

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
