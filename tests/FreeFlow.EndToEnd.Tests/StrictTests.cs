using System;
using System.Globalization;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>FREEFLOW_STRICT=1: a fallback that is a failing of FreeFlow's is said, counted and seen by the program; what is none is not.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class StrictTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private const int Port = 7100;

    [OneTimeSetUp]
    public void SetUp() => Tools.Require(Tools.Python, "redis-server", "redis-benchmark");

    [TestCase("0")]
    [TestCase("8")]
    public void WithoutARouterItFails(string offerAfter)
    {
        using Stage stage = Strict(Mixture.RouterAbsent);
        stage.Variables["FREEFLOW_OFFER_AFTER"] = offerAfter;
        stage.Serve(Tools.PythonProgram("strict.py", "server", $"{Port}"), Port);
        using LabProcess client = Ask(stage);
        // The end that comes to it first: the other one finds the connection closed.
        string answer = Answer(client);
        Assert.That(answer, Is.AnyOf("ENETUNREACH send", "ENETUNREACH recv", "ECONNRESET recv", "end recv"));
        if (answer.StartsWith("ENETUNREACH", StringComparison.Ordinal)) Assert.That(Refusals(client), Is.EqualTo(new[] { "NoRouter" }));
    }

    [TestCase("option")]
    [TestCase("urgent")]
    public void WhatOnlyTheKernelDoesFails(string wish)
    {
        using Stage stage = Strict(Mixture.Both).WaitingForTheJoin();
        stage.Serve(Tools.PythonProgram("strict.py", "server", $"{Port}"), Port);
        using LabProcess client = Ask(stage, wish);
        Assert.That(Answer(client), Is.EqualTo("ENETUNREACH send"));
        Assert.That(Refusals(client), Is.EqualTo(new[] { "KernelOnlyOption" }));
        RouterStatus status = stage.Router!.Status();
        Assert.That(status.StrictlyRefusedTotal, Is.EqualTo(1));
        Assert.That(status.Processes.SelectMany(process => process.Connections).Select(end => end.StrictlyRefused).Where(reason => reason.Length > 0), Is.EqualTo(new[] { "KernelOnlyOption" }));
    }

    // Outside the prefix even what only the kernel does is no fallback.
    [TestCase(Mixture.Both, "", "", true, TestName = "{m}(on the ring)")]
    [TestCase(Mixture.ClientOnly, "", "", false, TestName = "{m}(a peer without shim)")]
    [TestCase(Mixture.Both, "192.168.0.0/16", "option", false, TestName = "{m}(outside the prefix)")]
    public void WhatIsNoFailingPasses(Mixture mixture, string prefix, string wish, bool ring)
    {
        using Stage stage = Strict(mixture).WaitingForTheJoin();
        if (prefix.Length > 0) stage.Variables["VNET_PREFIX"] = prefix;
        stage.Serve(Tools.PythonProgram("strict.py", "server", $"{Port}"), Port);
        using LabProcess client = Ask(stage, wish);
        Assert.That(Answer(client), Is.EqualTo("done"));
        Assert.That(Refusals(client), Is.Empty);
        RouterStatus status = stage.Router!.Status();
        Assert.That(status.StrictlyRefusedTotal, Is.Zero);
        Assert.That(status.RingBytesTotal, ring ? Is.Positive : Is.Zero);
    }

    [Test]
    public void RedisRidesOnRings()
    {
        using Stage stage = Strict(Mixture.Both);
        stage.Variables.Remove("FREEFLOW_OFFER_AFTER");
        LabProcess server = stage.Serve(new CommandLine("redis-server", "--port", $"{Port}", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "").In(stage.Folder), Port);
        stage.Call(new CommandLine("redis-benchmark", "-h", stage.Address, "-p", Port.ToString(CultureInfo.InvariantCulture), "-t", "set,get", "-n", "20000", "-c", "8"));
        RouterStatus status = stage.Router!.Status();
        Assert.That(status.StrictlyRefusedTotal, Is.Zero);
        Assert.That(status.RingBytesTotal, Is.GreaterThan(500_000));
        Assert.That(Refusals(server), Is.Empty);
    }

    private static Stage Strict(Mixture mixture)
    {
        Stage stage = new(mixture);
        stage.Variables["FREEFLOW_STRICT"] = "1";
        return stage;
    }

    private static LabProcess Ask(Stage stage, string wish = "") =>
        stage.Client.Start(stage.AsClient(Tools.PythonProgram("strict.py", "client", stage.Address, $"{Port}", wish)));

    private static string Answer(LabProcess client)
    {
        Assert.That(Waiting.Until(() => client.Output.Contains('\n', StringComparison.Ordinal) || client.HasExited, s_patience), () => client.Error);
        return client.Output.Trim();
    }

    private static string[] Refusals(LabProcess process) =>
        [.. process.Error.Split('\n').Where(line => line.StartsWith("freeflow: FREEFLOW_STRICT", StringComparison.Ordinal)).Select(line => line.Split(' ')[^1])];
}
