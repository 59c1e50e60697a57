using System.IO;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>A virtual IP with a guaranteed rate beside one without, on a host that may send less to others than both want.</summary>
[TestFixture]
public sealed class GuaranteedRateTests
{
    /// <summary>Of 100 Mbit/s 60 are promised to one, and both share the rest: four to one. Without the promise both get half.</summary>
    [Test]
    public void ItGetsMostOfTheCapacityAndTheOtherOneTheRest()
    {
        Tools.Require("iperf3");
        string folder = Directory.CreateTempSubdirectory("freeflow-policy-").FullName, policy = Path.Combine(folder, "policy");
        try
        {
            LabDescription description = LabDescription.Create(hosts: 2, containers: 2, etcd: false);
            File.WriteAllText(policy, $"capacity 100\nrate {description.Hosts[0].Containers[0].Address4} min=60\n");
            using Laboratory lab = Laboratory.Start(description with { RouterArguments = ["--policy", policy] });
            LabHost sender = lab.Hosts[0], receiver = lab.Hosts[1];
            using LabProcess promisedServer = AcceleratedIperf.Serve(receiver.Containers[0]), otherServer = AcceleratedIperf.Serve(receiver.Containers[1]);
            using LabProcess promised = AcceleratedIperf.Call(sender.Containers[0], receiver.Containers[0]), other = AcceleratedIperf.Call(sender.Containers[1], receiver.Containers[1]);
            long promisedBytes = AcceleratedIperf.Received(promised).Bytes, otherBytes = AcceleratedIperf.Received(other).Bytes;
            TestContext.Out.WriteLine($"{promisedBytes} and {otherBytes} bytes");
            Assert.That(promisedBytes, Is.GreaterThan(2 * otherBytes));
            Assert.That(sender.Status().FabricBytes, Is.GreaterThan(promisedBytes), "bytes that went through the fabric");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
