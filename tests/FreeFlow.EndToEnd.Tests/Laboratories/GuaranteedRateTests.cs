using System;
using System.Globalization;
using System.IO;
using System.Text.Json;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>A virtual IP with a guaranteed rate beside one without, on a host that may send less to others than both want.</summary>
[TestFixture]
public sealed class GuaranteedRateTests
{
    private const int Port = 5201;

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
            using LabProcess promisedServer = Serve(lab, 0), otherServer = Serve(lab, 1);
            using LabProcess promised = Call(lab, 0), other = Call(lab, 1);
            long promisedBytes = Received(promised), otherBytes = Received(other);
            TestContext.Out.WriteLine($"{promisedBytes} and {otherBytes} bytes");
            Assert.That(promisedBytes, Is.GreaterThan(2 * otherBytes));
            Assert.That(lab.Hosts[0].Status().FabricBytes, Is.GreaterThan(promisedBytes), "bytes that went through the fabric");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static LabProcess Serve(Laboratory lab, int container)
    {
        LabPlace place = lab.Hosts[1].Containers[container];
        LabProcess server = place.Start(Accelerated("-s"));
        place.WaitForPort(Port, server);
        return server;
    }

    // The first second, in which rings are filled, does not count.
    private static LabProcess Call(Laboratory lab, int container) =>
        lab.Hosts[0].Containers[container].Start(Accelerated("-c", lab.Hosts[1].Containers[container].Address4, "-O", "1", "-t", "3", "-J"));

    private static CommandLine Accelerated(params string[] arguments) =>
        new CommandLine("iperf3", [.. arguments, "-p", Port.ToString(CultureInfo.InvariantCulture)]).WithFreeFlow().With("FREEFLOW_OFFER_AFTER", "0");

    private static long Received(LabProcess client)
    {
        using JsonDocument report = JsonDocument.Parse(client.Wait(TimeSpan.FromSeconds(30)).Succeeded("iperf3").Output);
        return report.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bytes").GetInt64();
    }
}
