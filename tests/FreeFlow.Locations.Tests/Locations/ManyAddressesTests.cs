using System;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>A hundred thousand virtual IPs on a thousand hosts. Times and sizes are printed, not judged: the machine has other work.</summary>
public sealed class ManyAddressesTests
{
    private const int Count = 100_000;

    [Test]
    public async Task All_are_listed_in_pages_and_a_change_among_them_is_seen()
    {
        using EtcdServer server = EtcdServer.Run();
        using EtcdHand hand = new(server.Options());
        hand.PutAll(Enumerable.Range(0, Count).Select(i => ($"{LocationKeys.AddressPrefix}10.{i >> 16}.{(i >> 8) & 255}.{i & 255}", $"192.168.{i % 1000 / 250}.{i % 250 + 1}")));
        using EtcdClient client = new(server.Options());
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        long began = Stopwatch.GetTimestamp();
        await using EtcdLocations locations = new(client, _ => { });
        locations.Start();
        Eventually.True(() => locations.View.State == LocationState.Current, "the view is current");
        TestContext.Out.WriteLine($"{Count} addresses listed in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms, {(GC.GetTotalMemory(forceFullCollection: true) - heap) / 1024.0 / 1024:0.0} MiB of heap");
        Assert.That((locations.View.Addresses, locations.View.Hosts), Is.EqualTo((Count, 1000)));

        TaskCompletionSource<long> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        locations.Changed += change => { if (change.Host?.Address == Read("192.168.9.9")) seen.TrySetResult(Stopwatch.GetTimestamp()); };
        began = Stopwatch.GetTimestamp();
        hand.Put(LocationKeys.AddressPrefix + "10.0.1.1", "192.168.9.9");
        long end = await seen.Task.WaitAsync(TimeSpan.FromSeconds(30));
        TestContext.Out.WriteLine($"a change was seen {Stopwatch.GetElapsedTime(began, end).TotalMilliseconds:0.0} ms after it was sent to etcd");
        Assert.That(locations.View.Addresses, Is.EqualTo(Count));
    }

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);
}
