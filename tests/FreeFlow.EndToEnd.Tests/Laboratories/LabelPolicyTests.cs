using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>Rules by label, from what a hunter publishes in etcd to the bytes of a connection: what is not known stays in the kernel, and goes on as the rules say once it is.</summary>
[TestFixture]
public sealed class LabelPolicyTests
{
    private const long Some = 100_000;

    private const string Rules = "rule store from app=front to namespace=db,app=store over shm,fabric\nrule rest from any to any over kernel\n";

    private string _folder = null!;
    private Laboratory _lab = null!;

    [OneTimeSetUp]
    public void Up()
    {
        _folder = Directory.CreateTempSubdirectory("freeflow-labels-").FullName;
        LabDescription lab = LabDescription.Create(hosts: 2, containers: 2);
        // One hunter tells of all of them: who has which address is what this is about, not how hunters find it.
        lab = lab with { Hosts = [lab.Hosts[0], lab.Hosts[1] with { Daemons = ["router"] }] };
        File.WriteAllText(Policy, Rules);
        File.WriteAllLines(Addresses, lab.Hosts.SelectMany(host => host.Containers.Select(container => $"{container.Address4} {host.Address}{(container == lab.Hosts[0].Containers[0] ? " labels=app=front" : "")}")));
        _lab = Laboratory.Start(lab with { RouterArguments = ["--policy", Policy], HunterArguments = ["--source", $"file:{Addresses}"] });
    }

    [OneTimeTearDown]
    public void Down()
    {
        _lab?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("one host")]
    [TestCase("two hosts")]
    [Order(1)]
    public void AConnectionWaitsForLabelsInTheKernelAndGoesAsTheRulesSayOnceTheyAreKnown(string where)
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabHost client = _lab.Hosts[0];
        LabPlace server = where == "one host" ? client.Containers[1] : _lab.Hosts[1].Containers[0];
        using LastingRun run = new(stage, "questions", server.Address4, server);
        run.WaitForKernelBytes(client, Some);
        AssertDecided(run, "store", "labels that are not known");
        Label(server, "namespace=db labels=app=store,tier=gold");
        run.WaitForRingBytes(_lab, (0, 0), Some, where);
        AssertDecided(run, "store", "");
        // It keeps what it was given, and the next one does not get it.
        Label(server, "namespace=db labels=app=other");
        using LastingRun next = Denied(stage, server);
        run.WaitForRingBytes(_lab, run.RingBytes(client), Some, "after the labels have changed");
        run.Finish();
        next.Finish();
    }

    [Test]
    [Order(2)]
    public void AnotherPolicyDecidesAboutThoseThatWait()
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabPlace server = _lab.Hosts[1].Containers[1];
        using LastingRun run = new(stage, "poll", server.Address4, server);
        run.WaitForKernelBytes(_lab.Hosts[0], Some);
        AssertDecided(run, "store", "labels that are not known");
        Replace(Policy, [$"rule address from any to {server.Address4} over fabric", .. Rules.Split('\n')]);
        run.WaitForRingBytes(_lab, (0, 0), Some, "the address alone decides");
        AssertDecided(run, "address", "");
        run.Finish();
    }

    private string Policy => Path.Combine(_folder, "policy");

    private string Addresses => Path.Combine(_folder, "addresses");

    /// <summary>A connection that the rules leave to the kernel, once they do.</summary>
    private LastingRun Denied(Stage stage, LabPlace server)
    {
        LastingRun? run = null;
        Assert.That(Waiting.Until(() =>
        {
            run?.Dispose();
            run = new(stage, "questions", server.Address4, server);
            LastingRun current = run;
            ConnectionStatus? connection = null;
            Assert.That(Waiting.Until(() => (connection = current.Connections(_lab.Hosts[0].Status()).FirstOrDefault(each => each.Rule.Length > 0)) is not null, System.TimeSpan.FromSeconds(10)), "it is decided about");
            return connection!.Rule == "rest" && connection.Reason == "the policy leaves it to the kernel";
        }, System.TimeSpan.FromSeconds(20)), "the new labels hold");
        return run!;
    }

    private void AssertDecided(LastingRun run, string rule, string reason)
    {
        ConnectionStatus[] ends = run.Connections(_lab.Hosts[0].Status());
        Assert.That(ends.Select(end => end.Rule), Has.All.EqualTo(rule));
        Assert.That(ends.Select(end => end.Reason), reason.Length == 0 ? Has.All.Empty : Has.All.Contains(reason));
    }

    /// <summary>The hunter's file says from now on who has an address.</summary>
    private void Label(LabPlace place, string who) =>
        Replace(Addresses, [.. File.ReadAllLines(Addresses).Select(line => line.StartsWith(place.Address4 + " ", System.StringComparison.Ordinal) ? $"{string.Join(' ', line.Split(' ').Take(2))} {who}" : line)]);

    private static void Replace(string path, string[] lines)
    {
        File.WriteAllLines(path + ".next", lines);
        File.Move(path + ".next", path, overwrite: true);
    }
}
