using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>
/// One long stream both ways, short ones beside it, and questions with answers between two hosts, while routers, hunters and etcd are killed and started again and links are
/// cut: not one byte wrong, not one connection lost. Seconds by default; <c>make test-chaos</c> does it for ten minutes with 10 GiB.
/// </summary>
[TestFixture]
public sealed class ChaosTests
{
    private static readonly string[] s_faults = ["router h1", "router h2", "hunter h1", "hunter h2", "etcd", "cut h1", "cut h2"];

    private readonly Dictionary<string, int> _befallen = [];
    private Laboratory _lab = null!;
    private Random _random = null!;
    private long _roundBegan = Environment.TickCount64;

    [OneTimeSetUp]
    public void Up() => _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 1));

    [OneTimeTearDown]
    public void Down() => _lab.Dispose();

    [Test]
    public void NoByteIsLostWhateverEnds()
    {
        int seconds = Number("FREEFLOW_CHAOS_SECONDS", 12), seed = Number("FREEFLOW_CHAOS_SEED", 1);
        long bytes = (long)Number("FREEFLOW_CHAOS_MEBIBYTES", 300) << 20;
        TestContext.Out.WriteLine($"seed {seed}, {seconds} s, {bytes >> 20} MiB each way");
        _random = new Random(seed);
        using Stage stage = new Stage(_lab, Mixture.Both).WaitingForTheJoin();
        PythonSocketServer questions = new();
        questions.Start(stage);
        Stopwatch clock = Stopwatch.StartNew();
        using StreamRun whole = new(stage, new StreamPlan("processes", "epoll-et", "4", bytes, seed)) { Patience = TimeSpan.FromSeconds(seconds + 120) };
        Task<int> rounds = Task.Factory.StartNew(() => Talk(stage, questions, clock, seconds), TaskCreationOptions.LongRunning);
        Task<int> streams = Task.Factory.StartNew(() => Stream(stage, clock, seconds), TaskCreationOptions.LongRunning);
        long fabric = 0;
        while (clock.Elapsed.TotalSeconds < seconds && !rounds.IsCompleted && !streams.IsCompleted)
        {
            Thread.Sleep(_random.Next(1000, 3000));
            fabric = Math.Max(fabric, FabricBytes());
            TellIfStuck();
            Befall(s_faults[_random.Next(s_faults.Length)]);
        }
        TestContext.Out.WriteLine($"{rounds.Result} rounds of questions, {streams.Result} short streams; {string.Join(", ", _befallen.Select(fault => $"{fault.Key} {fault.Value}"))}");
        whole.WaitUntilTransferred();
        whole.Finish();
        Assert.That(fabric, Is.Positive, "no byte went through the fabric");
        Assert.That(stage.Complaints, Is.Empty, stage.ServerErrors);
    }

    private int Talk(Stage stage, PythonSocketServer questions, Stopwatch clock, int seconds)
    {
        HashSet<string> answers = [];
        int rounds = 0;
        for (; clock.Elapsed.TotalSeconds < seconds; rounds++)
        {
            Volatile.Write(ref _roundBegan, Environment.TickCount64);
            answers.Add(questions.Work(stage, 1));
        }
        Assert.That(answers, Has.Count.EqualTo(1));
        return rounds;
    }

    private static int Stream(Stage stage, Stopwatch clock, int seconds)
    {
        string[] styles = ["blocking", "poll", "epoll-lt", "epoll-et"];
        int count = 0;
        for (; clock.Elapsed.TotalSeconds < seconds; count++)
        {
            using StreamRun run = new(stage, new StreamPlan("processes", styles[count % styles.Length], "4", 50_000_000, count)) { Patience = TimeSpan.FromSeconds(90) };
            run.WaitUntilTransferred();
            run.Finish();
        }
        return count;
    }

    /// <summary>A round takes little more than a second: one that does not end leaves both hosts' views in the output.</summary>
    private void TellIfStuck()
    {
        if (Environment.TickCount64 - Volatile.Read(ref _roundBegan) < 12_000) return;
        foreach (LabHost host in _lab.Hosts) TestContext.Out.WriteLine($"{host.Name}:\n{host.Run(new CommandLine(Artifacts.Cli, "status")).Output}\n{string.Join('\n', host.Log("router").Split('\n').TakeLast(12))}");
    }

    private void Befall(string fault)
    {
        _befallen[fault] = _befallen.GetValueOrDefault(fault) + 1;
        string[] words = fault.Split(' ');
        int pause = _random.Next(100, 1500);
        switch (words[0])
        {
            case "etcd":
                _lab.Etcd.Signal("etcd", Kill);
                Thread.Sleep(pause);
                _lab.StartEtcd();
                break;
            case "cut":
                _lab[words[1]].Cut();
                Thread.Sleep(pause * 2);
                _lab[words[1]].Mend();
                break;
            default:
                _lab[words[1]].Kill(words[0]);
                Thread.Sleep(pause);
                _lab[words[1]].Start(words[0]);
                break;
        }
    }

    private const int Kill = 9;

    private long FabricBytes() => _lab.Hosts.Sum(host => host.Status().FabricBytes);

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
