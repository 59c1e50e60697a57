using System;
using System.IO;
using System.Linq;
using System.Text;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>What <c>freeflow trace</c> shows of accelerated connections: Debian's tshark reads their bytes as it reads any capture.</summary>
public sealed class TraceTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("freeflow-trace-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void TsharkReadsRedis()
    {
        Tools.Require("tshark", "redis-server", "redis-cli");
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        new Redis().Start(stage);
        using LabProcess trace = Start(out string capture, "--port", "6379");
        using LabProcess client = stage.Client.Start(stage.AsClient(new CommandLine("redis-cli", "-h", stage.Address)));
        WaitFor(capture, "PONG", () => Say(client, "PING\n", "PONG"));
        Say(client, "SET traced FreeFlow\n", "OK");
        Say(client, "GET traced\n", "FreeFlow");
        WaitFor(capture, "$8\r\nFreeFlow\r\n");
        trace.Stop();
        string text = Tshark(capture, "-d", "tcp.port==6379,resp", "-Y", "resp", "-T", "fields", "-e", "ip.src", "-e", "tcp.dstport", "-e", "resp.bulk_string.value", "-e", "resp.string");
        Assert.That(text, Does.Contain($"{stage.Client.Address4}\t6379\t").And.Contain("traced").Or.Contain("747261636564"), trace.Error);
        Assert.That(text, Does.Contain($"{stage.Server.Address4}\t"), "its answers, too");
        IsWhole(capture, trace);
    }

    [Test]
    public void TsharkReadsHttp()
    {
        Tools.Require("tshark", "nginx", "ncat");
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        NginxServer.Start(stage);
        using LabProcess trace = Start(out string capture, "--port", $"{NginxServer.Port}");
        using LabProcess client = stage.Client.Start(stage.AsClient(new CommandLine("ncat", stage.Address, $"{NginxServer.Port}")));
        WaitFor(capture, "Content-Length: 1\r", () => Say(client, "GET /file1 HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: 1\r"));
        Say(client, "GET /file1024 HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: 1024");
        Say(client, "GET /file65536 HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: 65536");
        Say(client, "GET /file100 HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: 100\r");
        WaitFor(capture, "Content-Length: 100\r");
        trace.Stop();
        string[] lines = Tshark(capture, "-d", $"tcp.port=={NginxServer.Port},http", "-Y", "http", "-T", "fields", "-e", "http.request.uri", "-e", "http.response.code", "-e", "http.content_length").Split('\n');
        Assert.That(lines, Has.Some.Contains("/file1024").And.Some.Contains("/file100").And.Some.Matches("200\t65536"), trace.Error);
        IsWhole(capture, trace);
    }

    [Test]
    public void TsharkReadsPostgreSql()
    {
        Postgres postgres = new();
        Tools.Require([.. postgres.Needs, "tshark"]);
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        postgres.Start(stage);
        using LabProcess trace = Start(out string capture, "--port", "5432");
        // The server's answer to a question for TLS is one letter, which tshark takes for a message where the question is not captured.
        string server = $"host={stage.Address} user=postgres dbname=postgres sslmode=disable gssencmode=disable";
        using LabProcess client = stage.Client.Start(stage.AsClient(new CommandLine("psql", "-X", "-A", "-t", server)));
        WaitFor(capture, "before", () => Say(client, "select 'before';\n", "before"));
        Say(client, "select 'traced' || 1;\n", "traced1");
        Say(client, "select count(*) from pgbench_accounts;\n", "100000");
        WaitFor(capture, "SELECT 1\0");
        trace.Stop();
        string text = Tshark(capture, "-d", "tcp.port==5432,pgsql", "-Y", "pgsql", "-T", "fields", "-e", "pgsql.query", "-e", "pgsql.type");
        Assert.That(text, Does.Contain("select 'traced' || 1").And.Contain("select count(*) from pgbench_accounts").And.Contain("Data row"), trace.Error);
        IsWhole(capture, trace);
    }

    /// <summary>Gigabytes pass faster than a disk takes them: what is written is right, what is not is counted, and nobody waits.</summary>
    [Test]
    public void WhatIsTooFastIsDroppedAndCounted()
    {
        Tools.Require("tshark", "iperf3");
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        new Iperf().Start(stage);
        string script = $"exec {Artifacts.Cli} trace --pcap - --port 5201 > >(echo header $(head -c 60 | wc -c) >&2; cat > /dev/null)";
        using LabProcess trace = Place.Host.Start(new CommandLine("bash", "-c", script));
        trace.WaitForOutput("header 60", TimeSpan.FromSeconds(20));
        new Iperf().Work(stage, 1);
        trace.Stop();
        Assert.That(trace.Error, Does.Match(@"freeflow: trace: \d{2,} packets of [1-9]\d* connections, \d+ bytes dropped"));
    }

    [Test]
    public void EveryStepIsTold()
    {
        Tools.Require("redis-server", "redis-cli");
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        new Redis().Start(stage);
        using LabProcess trace = Place.Host.Start(new CommandLine(Artifacts.Cli, "trace", "--port", "6379"));
        using LabProcess client = stage.Client.Start(stage.AsClient(new CommandLine("redis-cli", "-h", stage.Address)));
        Assert.That(Waiting.Until(() =>
        {
            Say(client, "PING\n", "PONG");
            return trace.Output.Contains("RingSharedMemory", StringComparison.Ordinal);
        }, TimeSpan.FromSeconds(20)), Is.True, trace.Output + trace.Error);
        client.Input.Dispose();
        using LabProcess plain = stage.Client.Start(new CommandLine("redis-cli", "-h", stage.Address));
        Say(plain, "PING\n", "PONG");
        trace.WaitForOutput("(PeerNotOffered)", TimeSpan.FromSeconds(10));
    }

    [Test]
    public void AnotherUsersConnectionsAreNotShown()
    {
        Tools.Require("redis-server", "redis-cli", "setpriv");
        using Stage stage = new Stage(Mixture.Both).WaitingForTheJoin();
        new Redis().Start(stage);
        using LabProcess trace = Place.Host.Start(new CommandLine(Artifacts.Cli, "trace", "--port", "6379").As("games"));
        using LabProcess client = stage.Client.Start(stage.AsClient(new CommandLine("redis-cli", "-h", stage.Address)));
        Say(client, "PING\n", "PONG");
        Waiting.Until(() => stage.Router!.Status().RingBytes > 0, TimeSpan.FromSeconds(10));
        Say(client, "PING\n", "PONG");
        trace.Stop();
        Assert.That(trace.Output, Is.Empty);
        Assert.That(trace.Error, Does.Match("[1-9][0-9]* processes of other users are not looked at"));
    }

    private LabProcess Start(out string capture, params string[] more)
    {
        capture = Path.Combine(_folder, "capture.pcapng");
        string file = capture;
        LabProcess trace = Place.Host.Start(new CommandLine(Artifacts.Cli, ["trace", "--pcap", capture, .. more]));
        Assert.That(Waiting.Until(() => File.Exists(file) && new FileInfo(file).Length > 0, TimeSpan.FromSeconds(20)), Is.True, trace.Error);
        return trace;
    }

    private static void Say(LabProcess client, string line, string answer)
    {
        int before = client.Output.Length;
        client.Input.Write(Encoding.ASCII.GetBytes(line));
        client.Input.Flush();
        Assert.That(Waiting.Until(() => client.Output[before..].Contains(answer, StringComparison.Ordinal), TimeSpan.FromSeconds(10)), Is.True, client.Output + client.Error);
    }

    /// <summary>What is in a ring stays there, for trace to find. What comes before the ring is the kernel's: <paramref name="again"/> until there is one.</summary>
    private static void WaitFor(string capture, string text, Action? again = null) => Assert.That(Waiting.Until(() =>
    {
        again?.Invoke();
        return Encoding.Latin1.GetString(File.ReadAllBytes(capture)).Contains(text, StringComparison.Ordinal);
    }, TimeSpan.FromSeconds(20)), Is.True, "it is captured");

    private static void IsWhole(string capture, LabProcess trace)
    {
        Assert.That(trace.Error, Does.Contain(", 0 bytes dropped"));
        Assert.That(Tshark(capture, "-o", "tcp.check_checksum:TRUE", "-Y", "tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.checksum.status == 0 || ip.checksum.status == 0"), Is.Empty);
    }

    private static string Tshark(string capture, params string[] arguments) =>
        Place.Host.Run(new CommandLine("tshark", ["-r", capture, .. arguments])).Succeeded("tshark").Output;
}
