using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>A virtual IP with a guaranteed rate, beside one without, on a host that may send less to others than both want.</summary>
[TestFixture]
public sealed class GuaranteedRateTests
{
    private const long Enough = 300_000;

    /// <summary>Shares are compared, no times. Without the promise both get half.</summary>
    [Test]
    public void ItGetsMostOfTheCapacityAndTheOtherOneTheRest()
    {
        string policy = Path.Combine(Directory.CreateTempSubdirectory("freeflow-policy-").FullName, "policy");
        try
        {
            LabDescription description = LabDescription.Create(hosts: 2, containers: 2, etcd: false);
            File.WriteAllText(policy, $"capacity 16\nrate {description.Hosts[0].Containers[0].Address4} min=12\n");
            using Laboratory lab = Laboratory.Start(description with { RouterArguments = ["--policy", policy] });
            using Stage stage = new(lab, Mixture.Both);
            LabHost host = lab.Hosts[0];
            LabPlace[] readers = [.. lab.Hosts[1].Containers];
            using LastingRun promised = new(stage, "one-way", readers[0].Address4, readers[0]), other = new(stage, "one-way", readers[1].Address4, readers[1], from: host.Containers[1]);
            promised.WaitForRingBytes(lab, (0, 0), 1, "at first");
            other.WaitForRingBytes(lab, (0, 0), 1, "at first");
            long promisedBefore = promised.RingBytes(host).Sent, otherBefore = other.RingBytes(host).Sent;
            other.WaitForRingBytes(lab, (otherBefore, 0), Enough, "beside the other");
            long promisedBytes = promised.RingBytes(host).Sent - promisedBefore, otherBytes = other.RingBytes(host).Sent - otherBefore;
            TestContext.Out.WriteLine($"{promisedBytes} and {otherBytes} bytes");
            Assert.That(promisedBytes, Is.GreaterThan(2 * otherBytes));
            promised.Finish();
            other.Finish();
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(policy)!, recursive: true);
        }
    }
}
