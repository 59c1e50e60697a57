using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>A small dose of what <c>make size</c> measures in full: many connections, many processes, few descriptors, and nothing kept that is not needed.</summary>
public sealed class SizeTests
{
    private const int Port = 5600;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private Stage _stage = null!;

    [SetUp]
    public void SetUp()
    {
        Tools.Require(Tools.Python, "prlimit");
        _stage = new Stage(Mixture.Both).WaitingForTheJoin();
    }

    [TearDown]
    public void TearDown() => _stage?.Dispose();

    /// <summary>With a doorbell for each, 500 connections would need 1,000 descriptors.</summary>
    [TestCase("epoll")]
    [TestCase("poll")]
    [TestCase("threads")]
    public void FiveHundredConnectionsWithFewDescriptors(string how)
    {
        const int connections = 500, limit = 700, share = limit / 8;
        LabProcess server = _stage.Serve(Limited(limit, "server", Text(Port), how), Port);
        int routerBefore = Descriptors(_stage.Router!.Process.Pid);
        using LabProcess client = Open(Limited(limit, "client", _stage.Address, Text(Port), Text(connections), how));
        AssertAccelerated(2 * connections);
        Assert.That(Said(client, "open "), Is.LessThanOrEqualTo(connections + share + 20), "descriptors of the client");
        Assert.That(Descriptors(server.Pid), Is.LessThanOrEqualTo(connections + share + 20), "of the server");

        client.SendLine();
        client.WaitForOutput("closed ", s_patience);
        const int graves = 16;
        Assert.That(Said(client, "closed "), Is.LessThanOrEqualTo(graves + 20), "the client has given them back");
        client.SendLine();
        Assert.That(client.Wait(s_patience).ExitCode, Is.Zero, client.Error);
        Assert.That(Waiting.Until(() => Descriptors(server.Pid) <= graves + 20, s_patience), $"the server still has {Descriptors(server.Pid)} descriptors");
        const int session = 4; // the server's: its socket, its family table, its namespace and that one's connection tracking
        Assert.That(Waiting.Until(() => Descriptors(_stage.Router.Process.Pid) <= routerBefore + session, s_patience), $"the router has {Descriptors(_stage.Router.Process.Pid)} descriptors, {routerBefore} before");
        Assert.That(_stage.Complaints, Is.Empty);
    }

    /// <summary>A ring that has carried a burst has touched its pages; once idle it keeps one a direction.</summary>
    [TestCase("epoll")]
    [TestCase("poll")]
    public void PagesOfIdleRingsGoBack(string how)
    {
        const int connections = 24, burst = 512 * 1024, pageKib = 4, tablesKib = 256;
        LabProcess server = _stage.Serve(Tools.PythonProgram("many.py", "server", Text(Port), how), Port);
        using LabProcess client = Open(Tools.PythonProgram("many.py", "client", _stage.Address, Text(Port), Text(connections), how, Text(burst)));
        AssertAccelerated(2 * connections);
        long most = SharedKib(client.Pid);
        Assert.That(most, Is.GreaterThan(connections * burst / 1024 / 2), "the bursts have touched many pages");
        long least = connections * 2 * pageKib + tablesKib;
        Assert.That(Waiting.Until(() => SharedKib(client.Pid) <= least && SharedKib(server.Pid) <= least, s_patience),
            $"{SharedKib(client.Pid)} and {SharedKib(server.Pid)} KiB are shared still, {most} at first");
        client.SendLine();
        client.WaitForOutput("closed ", s_patience);
        // The last that were closed are kept for a moment; who polls nothing but a listener polls without the shim.
        const int closedKib = 64;
        if (how == "epoll") Assert.That(Waiting.Until(() => SharedKib(server.Pid) <= closedKib, s_patience), $"the server, its connections closed, still shares {SharedKib(server.Pid)} KiB");
    }

    [Test]
    public void TwentyProcessesAtOnce()
    {
        const int processes = 20, connections = 5;
        LabProcess server = _stage.Serve(Tools.PythonProgram("many.py", "server", Text(Port), "epoll"), Port);
        LabProcess[] clients = Enumerable.Range(0, processes)
            .Select(_ => _stage.Client.Start(_stage.AsClient(Tools.PythonProgram("many.py", "client", _stage.Address, Text(Port), Text(connections), "epoll")))).ToArray();
        foreach (LabProcess client in clients) client.WaitForOutput("open ", s_patience);
        AssertAccelerated(2 * processes * connections);
        foreach (LabProcess client in clients) client.SendLine();
        foreach (LabProcess client in clients) client.WaitForOutput("closed ", s_patience);
        foreach (LabProcess client in clients) client.SendLine();
        foreach (LabProcess client in clients) Assert.That(client.Wait(s_patience).ExitCode, Is.Zero, client.Error);
        Assert.That(Waiting.Until(() => _stage.Router!.Status().Processes.Length == 1, s_patience), "only the server has a session");
        Assert.That(Waiting.Until(() => _stage.Router!.Status().Processes.Single().Connections.Length == 0, s_patience), "and no connection");
    }

    private CommandLine Limited(int limit, params string[] arguments)
    {
        CommandLine python = Tools.PythonProgram("many.py", arguments);
        return new CommandLine("prlimit", [$"--nofile={Text(limit)}", python.Program, .. python.Arguments]);
    }

    private LabProcess Open(CommandLine command)
    {
        LabProcess client = _stage.Client.Start(_stage.AsClient(command));
        client.WaitForOutput("open ", s_patience);
        return client;
    }

    private void AssertAccelerated(int ends)
    {
        ConnectionStatus[] all = _stage.Router!.Status().Processes.SelectMany(process => process.Connections).ToArray();
        Dictionary<string, int> states = all.GroupBy(end => $"{end.State}: {end.Reason}").ToDictionary(group => group.Key, group => group.Count());
        Assert.That(all.Count(end => end.State == "ring (shm)" && end.RingSent > 0), Is.EqualTo(ends), string.Join("; ", states));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Said(LabProcess process, string word) =>
        int.Parse(process.Output.Split('\n').Single(line => line.StartsWith(word, StringComparison.Ordinal))[word.Length..], CultureInfo.InvariantCulture);

    private static int Descriptors(int process) => Directory.GetFileSystemEntries($"/proc/{Text(process)}/fd").Length;

    private static long SharedKib(int process) => File.ReadLines($"/proc/{Text(process)}/status").Where(line => line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).Single();
}
