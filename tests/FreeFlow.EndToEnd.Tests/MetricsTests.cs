using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>What router and hunter serve to Prometheus: Debian's own scrapes both, and its promtool judges names, help and rules.</summary>
public sealed class MetricsTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("freeflow-metrics-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void PrometheusScrapesRouterAndHunter()
    {
        Tools.Require("prometheus", "promtool", "etcd", "redis-server", "redis-benchmark", "redis-cli", Tools.Python);
        int[] ports = FreePorts(5);
        string router = $"127.0.0.1:{ports[0]}", hunter = $"127.0.0.1:{ports[1]}", server = $"127.0.0.1:{ports[2]}";
        using Stage stage = new(Mixture.Both, "--metrics", router);
        stage.WaitingForTheJoin();
        using LabProcess published = Place.Host.Start(new CommandLine(Artifacts.Hunter, "--source", $"file:{Addresses()}", "--host-ip", "192.168.7.1",
            "--endpoints", $"http://127.0.0.1:{ports[3]}", "--metrics", hunter));
        string configuration = Path.Combine(_folder, "prometheus.yml");
        File.WriteAllText(configuration, $"scrape_configs: [{{job_name: freeflow, scrape_interval: 200ms, static_configs: [{{targets: ['{router}', '{hunter}']}}]}}]");
        using LabProcess prometheus = Place.Host.Start(new CommandLine("prometheus", $"--config.file={configuration}", $"--storage.tsdb.path={_folder}/data", $"--web.listen-address={server}"));
        Assert.That(Waiting.Until(() => Query(server, "sum(up)") is 2, s_patience), Is.True, $"both are up\n{prometheus.Error}");

        Assert.That(Waiting.Until(() => Query(server, "freeflow_hunter_etcd_up") is 0, s_patience), Is.True, "nobody answers for etcd");
        using LabProcess etcd = Place.Host.Start(new CommandLine("etcd", "--data-dir", $"{_folder}/etcd", "--listen-client-urls", $"http://127.0.0.1:{ports[3]}",
            "--advertise-client-urls", $"http://127.0.0.1:{ports[3]}", "--listen-peer-urls", $"http://127.0.0.1:{ports[4]}"));
        Assert.That(Waiting.Until(() => Query(server, "freeflow_hunter_entries{state=\"held\"}") >= 2 && Query(server, "freeflow_hunter_etcd_up") is 1, s_patience), Is.True, published.Error);
        Assert.That(Query(server, "freeflow_hunter_addresses"), Is.EqualTo(2));

        Redis redis = new();
        redis.Start(stage);
        redis.Work(stage, 0);
        RouterStatus status = stage.Router!.Status();
        Assert.That(Waiting.Until(() => Query(server, "freeflow_joins_total") >= 8, s_patience), Is.True);
        Assert.That(Waiting.Until(() => Query(server, "freeflow_ring_sent_bytes_total") >= status.RingBytesTotal, s_patience), Is.True, $"{status.RingBytesTotal}");
        Assert.That(status.RingBytesTotal, Is.GreaterThan(1_000_000));
        Assert.That(Query(server, "freeflow_sessions"), Is.GreaterThanOrEqualTo(1), "redis-server");
        Assert.That(Query(server, "count(process_cpu_seconds_total > 0)"), Is.EqualTo(2));
        foreach (string address in (string[])[router, hunter]) PromtoolIsContent("check", "metrics", Get($"http://{address}/metrics"));
    }

    [Test]
    public void ConnectionsAreCountedByStateAndReason()
    {
        string address = $"127.0.0.1:{FreePorts(1)[0]}";
        using Stage stage = new(Mixture.Both, "--metrics", address);
        stage.WaitingForTheJoin();
        using (StreamRun run = new(stage, new StreamPlan("processes", "poll", "4", 1_000_000, 1)))
        {
            run.WaitUntilTransferred();
            string text = Get($"http://{address}/metrics");
            Assert.That(text, Does.Contain("freeflow_connections{state=\"ring_shm\",reason=\"None\"} 2\n"));
            run.Finish();
        }
        Assert.That(Waiting.Until(() => !Get($"http://{address}/metrics").Contains("state=\"ring_shm\"", StringComparison.Ordinal), s_patience), Is.True, "what has gone is not shown any more");
    }

    [Test]
    public void ASocketServesWhoAsksRightAndNobodyElseForLong()
    {
        string path = Path.Combine(_folder, "metrics.sock");
        using Stage stage = new(Mixture.Both, "--metrics", $"unix:{path}");
        Assert.That(Ask(path, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contain("# TYPE freeflow_sessions gauge\n").And.Contain("freeflow_build_info{version="));
        Assert.That(Ask(path, "HEAD /metrics HTTP/1.1\r\n\r\n"), Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("\r\n\r\n"));
        Assert.That(Ask(path, "GET / HTTP/1.1\r\n\r\n"), Does.StartWith("HTTP/1.1 404 "));
        Assert.That(Ask(path, "POST /metrics HTTP/1.1\r\n\r\n"), Does.StartWith("HTTP/1.1 405 "));
        Assert.That(Ask(path, "nonsense\r\n\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That(Ask(path, new string('x', 10_000)), Does.StartWith("HTTP/1.1 400 ").Or.Empty, "a head that is too long; what it has not read resets the connection");
        // As many as it has places for say nothing: the router serves programs as ever, and drops them.
        Socket[] silent = [.. Enumerable.Range(0, 24).Select(_ => Connect(path))];
        Assert.That(stage.Router!.Status(), Is.Not.Null);
        Assert.That(Ask(path, "GET /metrics HTTP/1.1\r\n\r\n"), Does.StartWith("HTTP/1.1 200 OK\r\n"), "once the silent ones' time is over");
        foreach (Socket socket in silent) socket.Dispose();
        stage.Router!.Stop();
        Assert.That(File.Exists(path), Is.False, "the socket's file goes with the router");
    }

    [TestCase("9464")]
    [TestCase("::1:9464")]
    [TestCase("unix:relative")]
    [TestCase("192.0.2.1:9464")]
    public void AWrongPlaceIsNamedInOneLine(string address)
    {
        foreach (string[] daemon in (string[][])[[Artifacts.Router, "--socket", Path.Combine(_folder, "router.sock")], [Artifacts.Hunter, "--host-ip", "192.168.7.1", "--source", "netns"]])
        {
            CompletedProcess run = Place.Host.Run(new CommandLine(daemon[0], [.. daemon[1..], "--metrics", address]));
            Assert.That(run.ExitCode, Is.EqualTo(1));
            string[] lines = [.. run.Error.Split('\n').Where(line => line.Contains("--metrics", StringComparison.Ordinal))];
            Assert.That(lines, Has.Length.EqualTo(1), run.Error);
            Assert.That(lines[0], Does.Contain(address));
        }
    }

    [Test]
    public void AlertRulesAreRight()
    {
        Tools.Require("promtool");
        string rules = Path.Combine(Artifacts.Root, "packaging", "prometheus", "freeflow.rules.yml");
        Place.Host.Run(new CommandLine("promtool", "check", "rules", rules)).Succeeded("promtool check rules");
        Place.Host.Run(new CommandLine("promtool", "test", "rules", Path.Combine(Artifacts.Root, "packaging", "prometheus", "freeflow.test.yml"))).Succeeded("promtool test rules");
    }

    /// <summary>Dashboard, rules and page speak of metrics that there are.</summary>
    [TestCase("packaging/grafana/freeflow.json")]
    [TestCase("packaging/prometheus/freeflow.rules.yml")]
    [TestCase("docs/metrics.md")]
    public void OnlyMetricsThatThereAreAreNamed(string file)
    {
        string[] sources = [.. ((string[])["router/FreeFlow.Router/Observe/Metrics", "router/FreeFlow.Metrics", "hunter/FreeFlow.Hunter/Hosting"])
            .SelectMany(folder => Directory.GetFiles(Path.Combine(Artifacts.Root, folder), "*Metrics.cs")).Select(File.ReadAllText)];
        HashSet<string> known = [.. sources.SelectMany(text => System.Text.RegularExpressions.Regex.Matches(text, "\"((?:freeflow|process|dotnet)_[a-z_]+)\"").Select(match => match.Groups[1].Value))];
        string content = File.ReadAllText(Path.Combine(Artifacts.Root, file));
        string[] named = [.. System.Text.RegularExpressions.Regex.Matches(content, "\\b(?:freeflow|process|dotnet)_[a-z_]+\\b").Select(match => match.Value).Distinct()];
        Assert.That(known, Has.Count.GreaterThan(30));
        Assert.That(named, Is.Not.Empty);
        Assert.That(named.Where(name => !known.Contains(name)), Is.Empty);
        if (file.EndsWith(".md", StringComparison.Ordinal)) Assert.That(known.Where(name => !named.Contains(name)), Is.Empty, "the page names all");
        if (file.EndsWith(".json", StringComparison.Ordinal)) Assert.That(JsonDocument.Parse(content).RootElement.GetProperty("panels").GetArrayLength(), Is.GreaterThan(5));
    }

    private string Addresses()
    {
        string file = Path.Combine(_folder, "addresses");
        File.WriteAllText(file, "10.9.0.1\n10.9.0.2\n");
        return file;
    }

    private void PromtoolIsContent(string command, string what, string text)
    {
        string file = Path.Combine(_folder, "text");
        File.WriteAllText(file, text);
        CompletedProcess run = Place.Host.Run(new CommandLine("sh", "-c", $"promtool {command} {what} < {file}"));
        Assert.That((run.ExitCode, run.Output + run.Error), Is.EqualTo((0, "")));
    }

    /// <summary>The one value of a query; null if there is none.</summary>
    private static double? Query(string server, string query)
    {
        try
        {
            using JsonDocument answer = JsonDocument.Parse(Get($"http://{server}/api/v1/query?query={Uri.EscapeDataString(query)}"));
            JsonElement result = answer.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() != 1 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static string Get(string address)
    {
        using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(20) };
        return client.GetStringAsync(address).GetAwaiter().GetResult();
    }

    private static Socket Connect(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static string Ask(string path, string request)
    {
        using Socket socket = Connect(path);
        StringBuilder answer = new();
        byte[] some = new byte[4096];
        try
        {
            socket.Send(Encoding.ASCII.GetBytes(request));
            for (int count; (count = socket.Receive(some)) > 0;) answer.Append(Encoding.UTF8.GetString(some, 0, count));
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // It has answered, and closed with bytes unread.
        }
        return answer.ToString();
    }

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners) listener.Start();
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners) listener.Dispose();
        return ports;
    }
}
