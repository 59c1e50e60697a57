using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Hunter;
using FreeFlow.Hunter.Kubernetes;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Hunter;

/// <summary>The pods of this node out of an API that pages, forgets, fails and breaks connections.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class KubernetesTests : IDisposable
{
    private readonly FakeKubernetes _api = new("word");
    private readonly TestFolder _folder = new();
    private readonly RecordingSink _sink = new();
    private readonly Lines _log = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;

    public void Dispose()
    {
        _stop.Cancel();
        _run.Wait();
        _stop.Dispose();
        _api.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Only_this_nodes_living_pods_count_and_each_change_is_seen()
    {
        _api.Set("a", "node1", "10.0.0.1");
        _api.Set("b", "node2", "10.0.0.2");
        _api.Set("host", "node1", "192.168.0.1", more: ",\"hostNetwork\":true");
        _api.Set("job", "node1", "10.0.0.4", phase: "Succeeded");
        _api.Set("young", "node1", null, phase: "Pending");
        Start();
        Eventually.True(() => _sink.Complete && _api.Watches == 1, "the list is there", () => _log.ToString());
        Assert.That(_sink.Text, Is.EqualTo("10.0.0.1→this"));
        Assert.That(_api.Requests[0], Does.Contain("fieldSelector=spec.nodeName%3Dnode1"), "the API chooses, not we");

        _api.Set("young", "node1", "10.0.0.5,fd00::5");
        Eventually.True(() => _sink.Text == "10.0.0.1→this 10.0.0.5→this fd00::5→this", "a pod has its addresses", () => _sink.Text);
        _api.Set("a", "node1", "10.0.0.1", phase: "Failed");
        Eventually.True(() => _sink.Text == "10.0.0.5→this fd00::5→this", "a pod that failed has none");
        // Its address may be another's at once, whatever the old pod's end says later.
        _api.Set("heir", "node1", "10.0.0.1");
        _api.Delete("a");
        _api.Delete("young");
        Eventually.True(() => _sink.Text == "10.0.0.1→this", "the heir keeps it");
        Assert.That(_log.ToString(), Is.EqualTo($"Kubernetes at {new Uri(_api.Url).Authority}: 4 pods of node1"), "one line for one state");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_broken_watch_goes_on_where_it_was(bool hard)
    {
        _api.Set("a", "node1", "10.0.0.1");
        Start();
        Eventually.True(() => _api.Watches == 1, "it watches");
        _api.Disconnect(hard);
        _api.Set("b", "node1", "10.0.0.2");
        Eventually.True(() => _sink.Text == "10.0.0.1→this 10.0.0.2→this", "the change behind the break is seen");
        Assert.That(_api.Lists, Is.EqualTo(1), "without a list");
    }

    [Test]
    public void A_bookmark_keeps_a_quiet_watch_young()
    {
        _api.Set("a", "node1", "10.0.0.1");
        Start();
        Eventually.True(() => _api.Watches == 1, "it watches");
        _api.Forget();
        _api.Bookmark();
        _api.Set("b", "node1", "10.0.0.2");
        Eventually.True(() => _sink.Text.Contains("10.0.0.2", StringComparison.Ordinal), "it is seen");
        _api.Disconnect(hard: true);
        _api.Set("c", "node1", "10.0.0.3");
        Eventually.True(() => _sink.Text.Contains("10.0.0.3", StringComparison.Ordinal), "and the next");
        Assert.That(_api.Lists, Is.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void What_is_too_old_is_listed_again(bool inTheWatch)
    {
        _api.PageSize = 2;
        foreach (int i in Enumerable.Range(1, 5)) _api.Set($"p{i}", "node1", $"10.0.0.{i}");
        Start();
        Eventually.True(() => _sink.Complete && _api.Watches == 1, "it watches");
        Assert.That((_api.Lists, _sink.Count), Is.EqualTo((3, 5)), "three pages");
        if (inTheWatch)
        {
            // Pods come and go while the watch hears nothing of it.
            _api.Expire();
        }
        else
        {
            _api.Disconnect(hard: true);
            _api.Fail(1);
            _api.Delete("p1");
            _api.Set("p6", "node1", "10.0.0.6");
            _api.Forget();
        }
        Eventually.True(() => _api.Lists == 6 && _api.Watches == 1, "everything is listed again", () => _log.ToString());
        string expected = string.Join(' ', Enumerable.Range(inTheWatch ? 1 : 2, 5).Select(i => $"10.0.0.{i}→this"));
        Eventually.True(() => _sink.Text == expected, "the picture is right", () => _sink.Text);
    }

    [Test]
    public void An_api_that_is_away_is_said_once_and_what_is_known_stays()
    {
        _api.Set("a", "node1", "10.0.0.1");
        Start();
        Eventually.True(() => _api.Watches == 1, "it watches");
        _api.Fail(3);
        _api.Disconnect(hard: true);
        Eventually.True(() => _api.Watches == 1, "it watches again");
        _api.Set("b", "node1", "10.0.0.2");
        Eventually.True(() => _sink.Text == "10.0.0.1→this 10.0.0.2→this" && _log.Count("answers again") == 1, "it goes on", () => _log.ToString());
        Assert.That(_log.Count("does not give pods of node1; what is known stays"), Is.EqualTo(1), _log.ToString());
    }

    [Test]
    public void A_namespace_and_every_node_can_be_asked_for()
    {
        _api.Set("a", "node1", "10.0.0.1", space: "blue");
        _api.Set("b", "node2", "10.0.0.2", space: "blue");
        _api.Set("c", "node1", "10.0.0.3", space: "red");
        Start("--all-nodes", "-namespace", "blue");
        Eventually.True(() => _sink.Text == "10.0.0.1→192.168.0.1 10.0.0.2→192.168.0.2", "both nodes' pods of one namespace", () => _sink.Text + _log);
    }

    [Test]
    public void A_pods_namespace_name_and_labels_are_told_and_each_change_of_them()
    {
        _api.Set("a", "node1", "10.0.0.1,fd00::1", space: "blue", labels: """{"tier":"web","app":"front"}""");
        Start();
        Eventually.True(() => _api.Watches == 1, "it watches", () => _log.ToString());
        Assert.That((_sink.Who["10.0.0.1"], _sink.Who["fd00::1"]), Is.EqualTo(("blue/a app=front,tier=web", "blue/a app=front,tier=web")));
        _api.Set("a", "node1", "10.0.0.1,fd00::1", space: "blue", labels: """{"app":"back"}""");
        Eventually.True(() => _sink.Who["10.0.0.1"] == "blue/a app=back", "the new ones are told", () => _sink.Who["10.0.0.1"]);
        _api.Set("a", "node1", "10.0.0.1,fd00::1", space: "blue");
        Eventually.True(() => _sink.Who["10.0.0.1"] == "blue/a ", "it has none any more");
    }

    [Test]
    public void A_token_that_is_renewed_in_its_file_is_used()
    {
        _api.Set("a", "node1", "10.0.0.1");
        string token = _folder.Write("token", "old\n");
        KubernetesAccess access = new() { Server = new(_api.Url + "/"), TokenFile = token };
        Run(access, "--node-name", "node1");
        Eventually.True(() => _log.Count("401") == 1, "the old one is refused", () => _log.ToString());
        _folder.Write("token", "word\n");
        Eventually.True(() => _sink.Text == "10.0.0.1→this", "the new one is taken");
    }

    private void Start(params string[] more) => Run(KubeConfig.Read(_folder.Write("config", _api.KubeConfig)), [.. more, "--node-name=node1"]);

    private void Run(KubernetesAccess access, params string[] arguments)
    {
        Address.TryParse("192.168.0.1", out Address host);
        KubernetesSource source = new(access, HunterOptions.Parse(arguments, _ => null), host, _log.Add);
        _sink.This = host;
        if (arguments.Contains("--all-nodes")) _sink.This = default;
        _run = Task.Run(() => source.RunAsync(_sink, _stop.Token));
    }

    private sealed class RecordingSink : IAddressSink
    {
        private readonly SortedDictionary<string, string> _found = new(StringComparer.Ordinal);

        public Address This { get; set; }

        public bool Complete { get; private set; }

        public int Count { get { lock (_found) return _found.Count; } }

        public string Text { get { lock (_found) return string.Join(' ', _found.Select(entry => $"{entry.Key}→{entry.Value}")); } }

        public void Set(IAddressSource source, Address address, Finding finding)
        {
            lock (_found)
            {
                _found[address.ToString()] = finding.LivesOn == This ? "this" : finding.LivesOn.ToString();
                Who[address.ToString()] = $"{finding.Who!.Namespace}/{finding.Who.Name} {string.Join(',', finding.Who.Labels.Select(label => $"{label.Key}={label.Value}"))}";
            }
        }

        public Dictionary<string, string> Who { get; } = [];

        public void Remove(IAddressSource source, Address address) { lock (_found) _found.Remove(address.ToString()); }

        public void SetNode(Address node, string? name) { }

        void IAddressSink.Complete(IAddressSource source) => Complete = true;
    }
}
