using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>
/// A virtual IP that moves to another host: its connections go on where the overlay leads them, in the kernel; new ones take the way to the new host. By the file of locations, which says
/// whatever the test wants, and by etcd, whose hunters see for themselves where the address is.
/// </summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class MovedAddressTests(bool etcd)
{
    private const long Some = 100_000;

    /// <summary>An address that a container has besides its own, and another one may have after it.</summary>
    private const string Moving = "10.77.9.9";

    private Laboratory _lab = null!;

    [OneTimeSetUp]
    public void Up() => _lab = Laboratory.Start(LabDescription.Create(hosts: 3, containers: 1, etcd));

    [OneTimeTearDown]
    public void Down() => _lab.Dispose();

    [Test]
    public void ConnectionsFollowTheOverlayAndComeBackWithTheAddress()
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabHost client = _lab.Hosts[0];
        using LastingRun run = new(stage, "questions");
        run.WaitForRingBytes(_lab, (0, 0), Some, "at first");
        Place(stage.Server.Address4, _lab.Hosts[2]);
        if (etcd) Claim(_lab.Hosts[2].Containers[0], "add", stage.Server.Address4);
        run.WaitForKernelBytes(client, Some);
        (long, long) rings = run.RingBytes(client);
        Place(stage.Server.Address4, _lab.Hosts[1]);
        if (etcd) Claim(_lab.Hosts[2].Containers[0], "del", stage.Server.Address4);
        run.WaitForRingBytes(_lab, rings, Some, "back again");
        run.Finish();
    }

    [Test]
    public void NewConnectionsUseTheNewHost()
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabHost there = _lab.Hosts[1], elsewhere = _lab.Hosts[2];
        Own(there.Containers[0], "add");
        Place(Moving, there);
        using (LastingRun run = new(stage, "blocking", Moving, there.Containers[0]))
        {
            run.WaitForRingBytes(_lab, (0, 0), Some, "at the first host");
            run.Finish();
        }
        Own(there.Containers[0], "del");
        Own(elsewhere.Containers[0], "add");
        Place(Moving, elsewhere);
        long before = elsewhere.Status().FabricBytes;
        using (LastingRun run = new(stage, "blocking", Moving, elsewhere.Containers[0]))
        {
            run.WaitForRingBytes(_lab, (0, 0), Some, "at the second host");
            run.Finish();
        }
        Assert.That(elsewhere.Status().FabricBytes - before, Is.GreaterThan(Some));
    }

    /// <summary>Says where an address lives: in the file that the routers watch. With etcd hunters say it, of whatever they see.</summary>
    private void Place(string address, LabHost host)
    {
        if (etcd) return;
        string[] others = [.. File.ReadAllLines(_lab.LocationsFile).Where(line => !line.StartsWith(address + " ", System.StringComparison.Ordinal))];
        string next = _lab.LocationsFile + ".next";
        File.WriteAllLines(next, [.. others, $"{address} {host.Address4}"]);
        File.Move(next, _lab.LocationsFile, overwrite: true);
    }

    /// <summary>Another host's hunter finds the address in a container there, which is the newer claim; on the overlay nobody hears of it, as the packets must go on to the one that has the connections.</summary>
    private static void Claim(LabPlace container, string verb, string address) =>
        container.Run(new CommandLine("sh", "-ec", $"echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore; ip address {verb} {address}/32 dev lo")).Succeeded("ip address");

    /// <summary>Gives a container the moving address, or takes it away; a gratuitous ARP tells the others.</summary>
    private void Own(LabPlace container, string verb)
    {
        container.Run(new CommandLine("ip", "address", verb, $"{Moving}/16", "dev", "eth0")).Succeeded("ip address");
        // Who has asked for it before asks again.
        _lab.Hosts[0].Containers[0].Run(new CommandLine("ip", "neigh", "flush", "all")).Succeeded("ip neigh");
    }
}
