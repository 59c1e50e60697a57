using System;
using System.IO;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>One host that sends to two others at once, and the policy that says how much it may send.</summary>
[TestFixture]
public sealed class SharedCapacityTests
{
    private const double Capacity = 100e6;

    /// <summary>Both want everything. If each link had the capacity for itself they would have twice as much; alone, one of them all of it.</summary>
    [Test]
    public void LinksToTwoHostsShareTheCapacityOfTheirHost()
    {
        Tools.Require("iperf3");
        string folder = Directory.CreateTempSubdirectory("freeflow-policy-").FullName, policy = Path.Combine(folder, "policy");
        try
        {
            LabDescription description = LabDescription.Create(hosts: 3, containers: 1, etcd: false);
            File.WriteAllText(policy, "capacity 100\n");
            using Laboratory lab = Laboratory.Start(description with { RouterArguments = ["--policy", policy] });
            using LabProcess firstServer = AcceleratedIperf.Serve(Container(lab, 1)), secondServer = AcceleratedIperf.Serve(Container(lab, 2));
            using LabProcess first = AcceleratedIperf.Call(Container(lab, 0), Container(lab, 1)), second = AcceleratedIperf.Call(Container(lab, 0), Container(lab, 2));
            (double firstBits, double secondBits) = (AcceleratedIperf.Received(first).BitsPerSecond, AcceleratedIperf.Received(second).BitsPerSecond);
            TestContext.Out.WriteLine($"{firstBits / 1e6:0.0} and {secondBits / 1e6:0.0} Mbit/s");
            Assert.That(firstBits + secondBits, Is.LessThan(1.3 * Capacity));
            Assert.That(Math.Min(firstBits, secondBits), Is.GreaterThan(0.15 * Capacity));
            Assert.That(lab.Hosts[1].Status().FabricBytes, Is.GreaterThan(1_000_000), "bytes that came through the fabric to the one");
            Assert.That(lab.Hosts[2].Status().FabricBytes, Is.GreaterThan(1_000_000), "and to the other");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static LabPlace Container(Laboratory lab, int host) => lab.Hosts[host].Containers[0];
}
