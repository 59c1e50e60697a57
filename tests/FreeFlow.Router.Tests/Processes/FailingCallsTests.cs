using System;
using System.IO;
using System.Net;
using FreeFlow.Contract;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A router whose calls fail at random, as they do where descriptors, memory or threads are short: every session is answered or closed, none of it leaves its session, and nothing is left behind.</summary>
[NonParallelizable]
public sealed class FailingCallsTests
{
    private const int Rounds = 150, OneIn = 40;

    private static readonly IPEndPoint s_plain = new(IPAddress.Loopback, 0), s_relayed = new(IPAddress.Parse("127.0.0.2"), 0);

    private string _folder = "";

    [OneTimeSetUp]
    public void Build()
    {
        _folder = Directory.CreateTempSubdirectory("freeflow-failing-").FullName;
        File.WriteAllText(Path.Combine(_folder, "policy"), "rate 127.0.0.2 max=1000\n");
        using TestProcess compiler = new("gcc", "-shared", "-fPIC", "-O1", "-o", Library, Path.Combine(AppContext.BaseDirectory, "native", "failing.c"));
        Assert.That(compiler.WaitForExit(), Is.Zero, compiler.Output);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    private string Library => Path.Combine(_folder, "failing.so");

    private string While => Path.Combine(_folder, "while");

    [Test]
    public void WhateverFailsEndsNoMoreThanWhatItIsFor([Values(1, 2, 3)] int seed)
    {
        using RouterUnderTest router = RouterUnderTest.StartBehind(
            ["env", $"LD_PRELOAD={Library}", $"FAILING_WHILE={While}", $"FAILING_SEED={seed}", $"FAILING_ONE_IN={OneIn}"], "--policy", Path.Combine(_folder, "policy"));
        using (FakeShim first = FakeShim.Greeted(router)) AssertJoined(first);
        int before = router.Descriptors, joins = 0, refusals = 0, closed = 0;
        File.WriteAllText(While, "");
        try
        {
            for (int round = 0; round < Rounds; round++) Try(router, round, ref joins, ref refusals, ref closed);
        }
        finally { File.Delete(While); }
        TestContext.Out.WriteLine($"{joins} joins, {refusals} refusals, {closed} sessions closed");
        Assert.That((joins > 0, refusals > 0, closed > 0), Is.EqualTo((true, true, true)), "some calls have failed, and some have not");
        Assert.That(router.Process.Process.HasExited, Is.False, router.Process.Output);
        using (FakeShim last = FakeShim.Greeted(router)) AssertJoined(last);
        Assert.That(router.Status().GetProperty("router").GetProperty("faults").GetInt64(), Is.Zero, router.Process.Output);
        Assert.That(() => router.Descriptors, Is.LessThanOrEqualTo(before).After(10_000, 50), router.Process.Output);
    }

    /// <summary>One session, one connection of either kind, one status. Whatever is asked is answered, or the session closed.</summary>
    private static void Try(RouterUnderTest router, int round, ref int joins, ref int refusals, ref int closed)
    {
        IPEndPoint at = round % 2 == 0 ? s_plain : s_relayed;
        using TcpPair pair = TcpPair.Connect(at, at);
        using FakeShim shim = new(router);
        shim.Hello();
        shim.Offer(0, pair.Client);
        shim.Offer(1, pair.Server);
        shim.AskStatus();
        while (true)
        {
            using Received answer = shim.Receive();
            if (answer.Type == MessageType.Join) joins++;
            if (answer.Type == MessageType.Refuse) refusals++;
            if (answer.IsClosed) closed++;
            if (answer.IsClosed || answer.Type == MessageType.StatusReply) break;
        }
        if (round % 3 == 0) shim.Withdraw(0);
    }

    private static void AssertJoined(FakeShim shim)
    {
        foreach (IPEndPoint at in (IPEndPoint[])[s_plain, s_relayed])
        {
            using TcpPair pair = TcpPair.Connect(at, at);
            shim.Offer(0, pair.Client);
            shim.Offer(1, pair.Server);
            using Received first = shim.Receive(), second = shim.Receive();
            Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), $"{at}");
            Assert.That(shim.HearsNothing());
            shim.Withdraw(0);
            shim.Withdraw(1);
        }
    }
}
