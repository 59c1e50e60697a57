using System;
using System.Globalization;
using System.IO;
using System.Text.Json;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>One host that sends to two others at once, and the policy that says how much it may send.</summary>
[TestFixture]
public sealed class SharedCapacityTests
{
    private const int Port = 5201;
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
            using LabProcess firstServer = Serve(lab, 1), secondServer = Serve(lab, 2);
            using LabProcess first = Call(lab, 1), second = Call(lab, 2);
            (double firstBits, double secondBits) = (Received(first), Received(second));
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

    private static LabProcess Serve(Laboratory lab, int host)
    {
        LabPlace place = lab.Hosts[host].Containers[0];
        LabProcess server = place.Start(Accelerated("-s"));
        place.WaitForPort(Port, server);
        return server;
    }

    // The first second, in which rings are filled, does not count.
    private static LabProcess Call(Laboratory lab, int host) => lab.Hosts[0].Containers[0].Start(Accelerated("-c", lab.Hosts[host].Containers[0].Address4, "-O", "1", "-t", "3", "-J"));

    private static CommandLine Accelerated(params string[] arguments) =>
        new CommandLine("iperf3", [.. arguments, "-p", Port.ToString(CultureInfo.InvariantCulture)]).WithFreeFlow().With("FREEFLOW_OFFER_AFTER", "0");

    private static double Received(LabProcess client)
    {
        using JsonDocument report = JsonDocument.Parse(client.Wait(TimeSpan.FromSeconds(30)).Succeeded("iperf3").Output);
        return report.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble();
    }
}
