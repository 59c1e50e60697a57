using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using NUnit.Framework;

namespace FreeFlow.Kubernetes.Tests.Rdma;

/// <summary>The extender and the nodes' daemons, each a process: a large node, a small one, one that is silent and one that is not
/// there.</summary>
internal sealed class ExtenderTests
{
    private const string NotEnough = "RDMA Scheduler Extension: Node did not have enough free RDMA resources.";
    private const string Unknown = "RDMA Scheduler Extension: Unable to collect information on available RDMA resources for node.";
    private const string Malformatted = "RDMA Scheduler Extension: 'rdma_interfaces_required' field in pod YAML file is malformatted.";

    private static readonly string[] s_everyNode = ["large", "small", "missing"];

    private readonly HttpClient _client = new();
    private readonly List<IDisposable> _parts = [];
    private string _extender = "", _impatient = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        int hardware = FreePort(), port = FreePort(), impatient = FreePort();
        SystemTree large = new(), small = new();
        large.Add("a0", "100 Gb/sec", (15000, true), (0, false), (0, false));
        large.Add("b0", "40 Gb/sec", (0, false));
        small.Add("a0", "10 Gb/sec", (0, false));
        Socket silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.3"), hardware));
        silent.Listen();
        _parts.AddRange([large, small, silent, _client]);
        foreach ((string address, SystemTree tree) in (ReadOnlySpan<(string, SystemTree)>)[("127.0.0.1", large), ("127.0.0.2", small)])
            _parts.Insert(0, Program("hardware-daemon", "--address", address, "--port", $"{hardware}", "--system-folder", tree.Folder));
        // A busy machine's daemons have all the time that they need; only the silent one is not waited for.
        _parts.Insert(0, Program("scheduler-extender", "--address", "127.0.0.1", "--port", $"{port}", "--hardware-port", $"{hardware}",
            "--patience-ms", "100000"));
        _parts.Insert(0, Program("scheduler-extender", "--address", "127.0.0.1", "--port", $"{impatient}", "--hardware-port",
            $"{hardware}", "--patience-ms", "200"));
        foreach (LineProcess process in _parts.OfType<LineProcess>()) await process.LineAsync("listening on port");
        _extender = $"http://127.0.0.1:{port}/scheduler/";
        _impatient = $"http://127.0.0.1:{impatient}/scheduler/";
    }

    [OneTimeTearDown]
    public void Stop()
    {
        foreach (IDisposable part in _parts) part.Dispose();
    }

    [TestCase("[]", "large small", TestName = "APodThatAsksForNoInterfaceFitsWhereADaemonAnswers")]
    [TestCase("[{}]", "large small", TestName = "AnInterfaceWithoutARateFits")]
    [TestCase("""[{"min_tx_rate":15000,"max_tx_rate":20000},{"min_tx_rate":5000},{}]""", "large", TestName = "ThreeInterfacesFitTheLargeNode")]
    [TestCase("""[{"min_tx_rate":90000}]""", "", TestName = "WhatIsGuaranteedToOthersIsNotFree")]
    [TestCase("[{},{},{},{}]", "", TestName = "MoreInterfacesThanFreeFunctionsFitNowhere")]
    public async Task Filters(string request, string fitting)
    {
        JsonNode result = await FilterAsync(Arguments(request));
        string[] fits = fitting.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(NamesOf(result), Is.EqualTo(fits));
        foreach (string node in s_everyNode.Except(fits))
            Assert.That(result["FailedNodes"]![node]!.GetValue<string>(), Is.EqualTo(node == "missing" ? Unknown : NotEnough), node);
        Assert.That(result["Error"]!.GetValue<string>(), Is.Empty);
    }

    [Test]
    public async Task ANodeThatIsSilentIsNotWaitedFor()
    {
        JsonObject arguments = Arguments("[{}]");
        arguments["Nodes"]!["items"] = new JsonArray(Node("silent", ("InternalIP", "127.0.0.3")));
        JsonNode result = await PostAsync(_impatient + "rdma_scheduling", arguments.ToJsonString());
        Assert.That(result["FailedNodes"]!.ToJsonString(), Is.EqualTo(new JsonObject { ["silent"] = Unknown }.ToJsonString()));
    }

    [Test]
    public async Task APodWithoutTheAnnotationFitsEverywhereAndEveryNodeComesBackWhole()
    {
        JsonNode arguments = Arguments(null);
        JsonNode result = await FilterAsync(arguments);
        Assert.That(JsonNode.DeepEquals(result["Nodes"]!["items"], arguments["Nodes"]!["items"]), result.ToJsonString());
        Assert.That(result["FailedNodes"]!.AsObject(), Is.Empty);
    }

    [TestCase("{}")]
    [TestCase("[1]")]
    [TestCase("[null]")]
    [TestCase("three")]
    [TestCase("""[{"min_tx_rate":-1}]""")]
    public async Task AnAnnotationThatIsNoListFitsNowhere(string request)
    {
        JsonNode result = await FilterAsync(Arguments(request));
        Assert.That(NamesOf(result), Is.Empty);
        Assert.That(result["FailedNodes"]!.AsObject().Select(node => node.Value!.GetValue<string>()),
            Is.EqualTo(Enumerable.Repeat(Malformatted, 3)));
    }

    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("""{"Nodes":{"items":[]}}""")]
    [TestCase("""{"Pod":{},"Nodes":{"items":[7]}}""")]
    [TestCase("""{"Pod":{"metadata":{"annotations":{"rdma_interfaces_required":7}}},"Nodes":{"items":[]}}""")]
    [TestCase("""{"Pod":{"metadata":7}}""")]
    public async Task ArgumentsThatAreNoneAreAnError(string arguments)
    {
        JsonNode result = await FilterAsync(arguments);
        Assert.That((result["Nodes"], result["FailedNodes"]), Is.EqualTo(((JsonNode?)null, (JsonNode?)null)));
        Assert.That(result["Error"]!.GetValue<string>(), Is.Not.Empty);
    }

    [Test]
    public async Task AnEmptyBodyIsRefused()
    {
        using HttpResponseMessage answer = await _client.PostAsync(_extender + "rdma_scheduling", null);
        Assert.That((answer.StatusCode, await answer.Content.ReadAsStringAsync()),
            Is.EqualTo((HttpStatusCode.BadRequest, "Request body was empty.")));
        using HttpResponseMessage read = await _client.GetAsync(_extender + "rdma_scheduling");
        Assert.That(read.StatusCode, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
    }

    [Test]
    public async Task TheNodeWithMoreLeftHasTheHigherScore()
    {
        JsonNode scores = await PostAsync(_extender + "rdma_prioritizing", Arguments("""[{"min_tx_rate":5000}]""").ToJsonString());
        Assert.That(scores.ToJsonString(), Is.EqualTo(
            """[{"Host":"large","Score":8},{"Host":"small","Score":5},{"Host":"missing","Score":0}]"""));
    }

    // "missing" has an address that nobody has first, and one of another kind that a daemon has.
    private static JsonObject Arguments(string? request) => new()
    {
        ["Pod"] = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "pod", ["annotations"] = request is null ? null
                : new JsonObject { ["rdma_interfaces_required"] = request }
            },
        },
        ["Nodes"] = new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray(Node("large", ("InternalIP", "127.0.0.9"), ("InternalIP", "127.0.0.1")),
                Node("small", ("Hostname", "127.0.0.1"), ("InternalIP", "127.0.0.2")),
                Node("missing", ("InternalIP", "127.0.0.4"), ("ExternalIP", "127.0.0.1"))),
        },
        ["NodeNames"] = null,
    };

    private static JsonObject Node(string name, params (string Type, string Address)[] addresses) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["kept"] = "yes" } },
        ["status"] = new JsonObject
        {
            ["addresses"] = new JsonArray([.. addresses.Select(address => new JsonObject { ["type"] = address.Type, ["address"] =
                address.Address })]),
        },
    };

    private static IEnumerable<string> NamesOf(JsonNode result) => result["Nodes"]!["items"]!.AsArray()
        .Select(node => node!["metadata"]!["name"]!.GetValue<string>());

    private Task<JsonNode> FilterAsync(JsonNode arguments) => FilterAsync(arguments.ToJsonString());

    private Task<JsonNode> FilterAsync(string arguments) => PostAsync(_extender + "rdma_scheduling", arguments);

    private async Task<JsonNode> PostAsync(string address, string body)
    {
        using StringContent content = new(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await _client.PostAsync(address, content);
        return JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
    }

    private static LineProcess Program(params string[] arguments) =>
        new(Path.Combine(TestContext.CurrentContext.TestDirectory, "freeflow-rdma"), arguments);

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
