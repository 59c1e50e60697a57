using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Hunter;

/// <summary>The program itself, as it is installed, with the real etcd.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HunterProcessTests : IDisposable
{
    private const string A = LocationKeys.AddressPrefix;
    private readonly EtcdServer _server = EtcdServer.Run();
    private readonly EtcdHand _hand;
    private readonly TestFolder _folder = new();

    public HunterProcessTests() => _hand = new(_server.Options());

    public void Dispose()
    {
        _hand.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void A_file_is_published_and_a_dead_nodes_entries_vanish()
    {
        string file = _folder.Write("addresses", "10.0.0.1\n10.0.0.2 192.168.0.2 namespace=web labels=app=front,a=b\nfd00::1 name=six\n");
        using TestProcess hunter = Start([$"--source=file:{file}", "-endpoints", _server.Url, "--host-ip", "192.168.0.1", "--node-name", "node-1"]);
        Eventually.True(() => _hand.Keys(A).Length == 3, "the addresses are there", () => hunter.Output);
        Assert.That((_hand.Get(A + "10.0.0.1"), _hand.Get(A + "10.0.0.2"), _hand.Get("Kubernetes/Nodes/192.168.0.1")), Is.EqualTo(("192.168.0.1", "192.168.0.2", "node-1")));
        Assert.That(_hand.Keys(LocationKeys.IdentityPrefix), Is.EqualTo(new[] { "FreeFlow/v1/identities/10.0.0.2", "FreeFlow/v1/identities/fd00::1" }));
        Assert.That((_hand.Get(LocationKeys.IdentityPrefix + "10.0.0.2"), _hand.Get(LocationKeys.IdentityPrefix + "fd00::1")), Is.EqualTo((
            """{"host":"192.168.0.2","namespace":"web","labels":{"a":"b","app":"front"}}""", """{"host":"192.168.0.1","name":"six"}""")));
        _folder.Write("addresses", "10.0.0.1\n10.0.0.3\n");
        Eventually.True(() => _hand.Keys(A).SequenceEqual([A + "10.0.0.1", A + "10.0.0.3"]), "the change is there", () => hunter.Output);
        Eventually.True(() => _hand.Keys(LocationKeys.IdentityPrefix).Length == 0, "and nothing of those who are gone", () => hunter.Output);
        _folder.Write("addresses", "10.0.0.1 and more\n");
        Eventually.True(() => hunter.Count("line 1") == 1, "the mistake is said");
        hunter.Signal(TestProcess.SIGKILL);
        Eventually.True(() => _hand.Keys("Microsoft/").Length == 0 && _hand.Keys("FreeFlow/").Length == 0 && _hand.Keys("Kubernetes/").Length == 0, "everything of the dead node vanishes");
    }

    [Test]
    public void An_etcd_that_comes_and_goes_is_said_once_each_and_entries_come_back()
    {
        string file = _folder.Write("addresses", "10.0.0.1\n");
        _server.Kill();
        using TestProcess hunter = Start(["--source", $"file:{file}", "--host-ip=192.168.0.1"], ("ETCD_ENDPOINTS", _server.Url));
        Eventually.True(() => hunter.Count("does not take our entries") == 1, "the outage is said", () => hunter.Output);
        _server.Start();
        Eventually.True(() => hunter.Count("etcd answers again") == 1, "the end of it is said", () => hunter.Output);
        Eventually.True(() => _hand.Get(A + "10.0.0.1") == "192.168.0.1", "the address is there");
        _server.Kill();
        _folder.Write("addresses", "10.0.0.2\n");
        Eventually.True(() => hunter.Count("does not take our entries") == 2, "the second outage is said", () => hunter.Output);
        _server.Start();
        _server.WaitReady();
        Eventually.True(() => _hand.Keys(A).SequenceEqual([A + "10.0.0.2"]), "what changed meanwhile is there");
        Eventually.True(() => hunter.Count("etcd answers again") == 2, "and its end", () => hunter.Output);
        hunter.Signal(TestProcess.SIGTERM);
        Assert.That(hunter.Wait(), Is.Zero, hunter.Output);
        Assert.That(hunter.Count("freeflow-hunter: "), Is.EqualTo(6), hunter.Output);
        Assert.That(_hand.Get(A + "10.0.0.2"), Is.EqualTo("192.168.0.1"), "a stopped hunter's entries stay for its successor");
    }

    [Test]
    public void Namespaces_of_this_host_are_found_but_not_those_that_anyone_could_make()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Fail("Entering network namespaces needs root.");
        using TestProcess hunter = Start(["--source=netns", "--prefix=10.213.0.0/16,fd5d:d5::/16", "--endpoints", _server.Url, "--host-ip=192.168.0.1"]);
        using TestProcess stranger = Container("-rUn", "10.213.0.66");
        using TestProcess container = Container("-n", "10.213.0.5", "fd5d:d5::5", "10.214.0.5");
        Eventually.True(() => _hand.Keys(A).SequenceEqual([A + "10.213.0.5", A + "fd5d:d5::5"]), "the container's addresses are there", () => $"{hunter.Output}{stranger.Output}{container.Output}{string.Join(' ', _hand.Keys(A))}");
        using TestProcess second = Container("-n", "10.213.0.6");
        Eventually.True(() => _hand.Get(A + "10.213.0.6") == "192.168.0.1", "and the next one's");
        Assert.That(_hand.Keys(LocationKeys.IdentityPrefix), Is.Empty, "a namespace that nobody has named says nothing of who has it");
        container.Dispose();
        Eventually.True(() => _hand.Keys(A).SequenceEqual([A + "10.213.0.6"]), "the stranger's address was never among them", () => hunter.Output);
    }

    [Test]
    public void Kubernetes_is_reached_with_the_originals_flags()
    {
        using FakeKubernetes api = new("word");
        api.Set("a", "node1", "10.0.0.1", space: "blue", labels: """{"app.kubernetes.io/name":"front"}""");
        api.Set("b", "node2", "10.0.0.2", space: "blue");
        api.Set("c", "node1", "10.0.0.3", space: "red");
        string config = _folder.Write("config", api.KubeConfig);
        using TestProcess hunter = Start(["-kubeconfig", config, "-endpoints", _server.Url, "-namespace", "blue"], ("HOST_IP", "192.168.0.1"), ("NODE_NAME", "node1"));
        Eventually.True(() => _hand.Keys(A).SequenceEqual([A + "10.0.0.1"]), "this node's pod of that namespace", () => hunter.Output);
        const string who = LocationKeys.IdentityPrefix + "10.0.0.1";
        Eventually.True(() => _hand.Get(who) == """{"host":"192.168.0.1","namespace":"blue","name":"a","labels":{"app.kubernetes.io/name":"front"}}""", "and who it is", () => _hand.Get(who) ?? "nothing");
        api.Set("a", "node1", "10.0.0.1", space: "blue", labels: """{"app.kubernetes.io/name":"back"}""");
        Eventually.True(() => _hand.Get(who) == """{"host":"192.168.0.1","namespace":"blue","name":"a","labels":{"app.kubernetes.io/name":"back"}}""", "it has other labels", () => _hand.Get(who) ?? "nothing");
        api.Delete("a", "blue");
        Eventually.True(() => _hand.Keys(A).Length == 0 && _hand.Get(who) is null, "it has gone", () => hunter.Output);
    }

    [TestCase("--sauce=netns", "unknown option --sauce=netns")]
    [TestCase("--endpoints", "--endpoints needs a value after it")]
    [TestCase("--endpoints=ftp://here", "'ftp://here' is not an etcd endpoint")]
    [TestCase("--source=dns", "--source dns: give kubernetes, netns, cni or file:PATH")]
    [TestCase("--kubeconfig=/nowhere", "Could not find file '/nowhere'")]
    [TestCase("--cacert=/nowhere", "etcd's TLS files: Could not find file '/nowhere'")]
    [TestCase("--source=kubernetes", "this is no pod")]
    public void A_mistake_is_one_line(string argument, string message)
    {
        using TestProcess hunter = Start(["--host-ip=192.168.0.1", argument]);
        Assert.That(hunter.Wait(), Is.EqualTo(1));
        Assert.That(hunter.Output.Trim(), Does.StartWith("freeflow-hunter: ").And.Contain(message).And.Not.Contain("\n"));
    }

    private static TestProcess Container(string namespaces, params string[] addresses) => new("unshare",
        [namespaces, "sh", "-c", $"ip link set lo up; {string.Join("; ", addresses.Select(address => $"ip addr add {address} dev lo"))}; exec sleep 1000"]);

    private static TestProcess Start(IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "freeflow.sln"))) folder = Path.GetDirectoryName(folder)!;
        string program = Path.Combine(folder, "artifacts/bin/freeflow-hunter");
        return File.Exists(program) ? new(program, arguments, environment.ToDictionary(pair => pair.Name, pair => pair.Value)) : throw new FileNotFoundException("make build makes it", program);
    }
}
