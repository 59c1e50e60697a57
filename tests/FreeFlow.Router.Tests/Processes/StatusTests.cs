using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What the status says, and to whom.</summary>
public unsafe class StatusTests
{
    private RouterUnderTest _router = null!;

    [SetUp]
    public void SetUp() => _router = RouterUnderTest.Start();

    [TearDown]
    public void TearDown() => _router.Dispose();

    [Test]
    public void RecordsAreShownUnderTheirProcess()
    {
        using FakeShim parent = FakeShim.Greeted(_router, "parent", slot: 0, process: 10), child = FakeShim.Greeted(_router, "child", parent.Family, slot: 1, process: 11);
        parent.Family.Header->RecordsUsed = 300; // more than one read
        ConnectionRecord* record = parent.Family.Record(299);
        record->State = (uint)ConnectionState.RingSharedMemory;
        record->ProcessId = 11;
        record->Descriptor = 7;
        record->Family = 2;
        record->LocalPort = 6379;
        record->RemotePort = 40000;
        record->LocalAddress[0] = record->RemoteAddress[0] = 10;
        record->LocalAddress[3] = 1;
        record->RemoteAddress[3] = 2;
        record->KernelSent = 1;
        record->KernelReceived = 2;
        record->SendTail = 3;
        record->ReceiveHead = 4;
        ConnectionRecord* orphan = parent.Family.Record(0);
        orphan->State = (uint)ConnectionState.Kernel;
        orphan->Reason = (uint)Reason.NotYetOffered;
        orphan->ProcessId = 99;

        JsonElement[] processes = _router.Status().GetProperty("processes").EnumerateArray().ToArray();
        Assert.That(processes.Select(process => process.GetProperty("program").GetString()), Is.EqualTo(new[] { "parent", "child" }));
        Assert.That(processes[0].GetProperty("pid").GetInt32(), Is.EqualTo(System.Environment.ProcessId), "the kernel's word, not the Hello's");
        JsonElement first = processes[0].GetProperty("connections").EnumerateArray().Single(), second = processes[1].GetProperty("connections").EnumerateArray().Single();
        Assert.That((first.GetProperty("state").GetString(), first.GetProperty("reason").GetString()), Is.EqualTo(("kernel", "too little traffic so far")), "of no known process: shown with the first");
        Assert.That(second.GetProperty("local").GetString(), Is.EqualTo("10.0.0.1:6379"));
        Assert.That(second.GetProperty("remote").GetString(), Is.EqualTo("10.0.0.2:40000"));
        Assert.That(second.GetProperty("state").GetString(), Is.EqualTo("ring (shm)"));
        Assert.That(new[] { "fd", "kernel_sent", "kernel_received", "ring_sent", "ring_received" }.Select(name => second.GetProperty(name).GetInt64()), Is.EqualTo(new[] { 7L, 1, 2, 3, 4 }));
    }

    [Test]
    public void RootInTheRoutersNamespaceSeesAllAndOthersTheirOwn()
    {
        using VictimNetwork network = new();
        using TcpPair pair = network.Connect();
        using FakeShim root = FakeShim.Greeted(_router, "root"), inside = FakeShim.Greeted(_router, "inside"), nobody = Place.Run(null, Place.Nobody, () => FakeShim.Greeted(_router, "nobody"));
        inside.Offer(0, pair.Client);
        Assert.That(inside.HearsNothing());

        Assert.That(_router.Programs(), Is.EquivalentTo(new[] { "root", "inside", "nobody" }));
        Assert.That(Place.Run(null, Place.Nobody, _router.Programs), Is.EqualTo(new[] { "nobody" }));
        Assert.That(Place.Run(network.PathA, null, _router.Programs), Is.EqualTo(new[] { "inside" }), "root of a container");
        Assert.That(Place.Run(network.PathB, null, _router.Programs), Is.Empty);
        Assert.That(Place.Run(network.PathA, Place.Nobody, _router.Programs), Is.Empty);
    }

    /// <summary>Every kind of descriptor that a container's root can have from the router or the host, sent along from a container.</summary>
    [Test]
    public void NoDescriptorThatIsSentOpensMore([Values("doorbell", "ring", "connection", "socket", "namespace", "none")] string kind)
    {
        using VictimNetwork network = new();
        using TcpPair pair = network.Connect();
        using FakeShim root = FakeShim.Greeted(_router, "root");
        using FakeShim client = FakeShim.Greeted(_router, "inside"), server = FakeShim.Greeted(_router, "other");
        client.Offer(0, pair.Client);
        server.Offer(0, pair.Server);
        using Received join = client.Receive(), other = server.Receive();
        Assert.That(join.Type, Is.EqualTo(MessageType.Join));
        using TcpPair hosts = TcpPair.Loopback();
        int socket = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), home = Libc.open("/proc/self/ns/net", Libc.O_RDONLY | Libc.O_CLOEXEC);
        int[] shown = kind switch
        {
            "doorbell" => [join.Descriptors[1]],
            "ring" => [join.Descriptors[0]],
            "connection" => [(int)hosts.Client.Handle],
            "socket" => [socket],
            "namespace" => [home],
            _ => [],
        };
        string[] seen = Place.Run(network.PathA, null, () =>
        {
            using FakeShim asker = new(_router);
            return asker.Programs(shown);
        });
        string[] seenByRoot = root.Programs(shown);
        Libc.close(socket);
        Libc.close(home);
        Assert.That(seen, Is.EqualTo(new[] { "inside" }), "what a program of this container has shown, and no more");
        Assert.That(seenByRoot, Is.EquivalentTo(new[] { "root", "inside", "other" }), "root in the router's namespaces needs to show nothing");
    }

    /// <summary>Root is the host's only in the host's network, pid and user namespace, whichever of them a container has of its own.</summary>
    [Test]
    public void RootOfAnyOtherNamespaceIsNotTheHosts([Values] bool network, [Values] bool processes, [Values] bool users, [Values] bool mounts)
    {
        using FakeShim root = FakeShim.Greeted(_router, "root");
        List<string> arguments = ["--fork"];
        if (network) arguments.Add("--net");
        if (processes) arguments.Add("--pid");
        if (users) arguments.AddRange(["--user", "--map-root-user"]);
        if (mounts) arguments.Add("--mount");
        arguments.AddRange(["dotnet", Path.Combine(AppContext.BaseDirectory, "freeflow.dll"), "status", "--json", "--router", _router.SocketPath]);
        using TestProcess asker = new("unshare", [.. arguments]);
        Assert.That(asker.WaitForExit(), Is.Zero, asker.Output);
        using JsonDocument status = JsonDocument.Parse(asker.Output);
        Assert.That(status.RootElement.GetProperty("processes").GetArrayLength(), Is.EqualTo(network || processes || users ? 0 : 1));
        Assert.That(status.RootElement.TryGetProperty("policy", out _), Is.EqualTo(!(network || processes || users)));
    }

    [Test]
    public void RingBytesAreCountedBeyondTheConnectionAndTheProcess()
    {
        using (FakeShim gone = FakeShim.Greeted(_router, "gone")) Claim(gone, 1000, 30);
        using FakeShim shim = FakeShim.Greeted(_router, "liar");
        Assert.That(() => _router.Programs(), Has.Length.EqualTo(1).After(5000, 20), "the first has gone");
        Assert.That(Total(), Is.EqualTo(1030));
        Claim(shim, 5, 2);
        Assert.That(Total(), Is.EqualTo(1037));
        Claim(shim, ulong.MaxValue, 0);
        Assert.That(Total(), Is.EqualTo(long.MaxValue), "a claim that no ring can carry");

        long Total() => _router.Status().GetProperty("router").GetProperty("ring_bytes_total").GetInt64();

        static void Claim(FakeShim shim, ulong closed, ulong living)
        {
            shim.Family.Header->RingBytes = closed;
            shim.Family.Header->RecordsUsed = 1;
            shim.Family.Record(0)->SendTail = living;
        }
    }

    [Test]
    public void StrictRefusalsAreCountedBeyondTheProcess()
    {
        using (FakeShim gone = FakeShim.Greeted(_router, "gone")) gone.Family.Header->Refused = 3;
        using FakeShim shim = FakeShim.Greeted(_router, "refused");
        Assert.That(() => _router.Programs(), Has.Length.EqualTo(1).After(5000, 20), "the first has gone");
        ConnectionRecord* record = shim.Family.Record(0);
        shim.Family.Header->RecordsUsed = 1;
        shim.Family.Header->Refused = 1;
        record->ProcessId = Environment.ProcessId;
        record->State = (uint)ConnectionState.Kernel;
        record->Refused = (uint)Reason.MemoryLimit;
        JsonElement status = _router.Status();
        Assert.That(status.GetProperty("router").GetProperty("strictly_refused_total").GetInt64(), Is.EqualTo(4));
        Assert.That(status.GetProperty("processes")[0].GetProperty("connections")[0].GetProperty("strictly_refused").GetString(), Is.EqualTo("MemoryLimit"));
    }

    [Test]
    public void JoinsAndRefusalsAreCounted()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(_router);
        shim.Offer(0, pair.Client);
        shim.Offer(1, pair.Server);
        shim.OfferDescriptor(2, shim.Family.Memory);
        for (int i = 0; i < 3; i++) shim.Receive().Dispose();
        JsonElement router = _router.Status().GetProperty("router");
        Assert.That((router.GetProperty("joined_total").GetInt64(), router.GetProperty("refused").GetProperty("NotEstablished").GetInt64(), router.GetProperty("sessions").GetInt64()), Is.EqualTo((1L, 1L, 1L)));
    }

    /// <summary>Who has not said Hello asks for nothing.</summary>
    [Test]
    public void AStatusIsAskedForBehindAHello()
    {
        using FakeShim asker = new(_router);
        byte[] packet = new byte[16];
        asker.Send(packet.AsSpan(0, new StatusRequest { Version = StatusRequest.CurrentVersion }.Write(packet)));
        using Received answer = asker.Receive();
        Assert.That(answer.IsClosed);
    }

    /// <summary>A session has one answer at a time: the next question ends the one before, and is answered whole.</summary>
    [Test]
    public void TheNextQuestionEndsTheAnswerBefore()
    {
        using FakeShim asker = FakeShim.Greeted(_router);
        ShowMuch(asker);
        asker.AskStatus();
        using Received first = asker.Receive();
        asker.AskStatus();
        using Received second = asker.Receive();
        string cut = Read(first), whole = Read(second);
        Assert.That(IsWhole(cut), Is.False);
        Assert.That(() => JsonDocument.Parse(whole).RootElement.GetProperty("processes")[0].GetProperty("connections").GetArrayLength(), Is.EqualTo(Much));
    }

    /// <summary>Sessions of one user that never read: the oldest of them give way, the router's memory does not grow by what they do not read, and everybody else is answered.</summary>
    [Test]
    public void AnswersThatNobodyReadCostNothing()
    {
        const int sessions = 40, mostUnread = 16, tolerated = 16384;
        using FakeShim family = Place.Run(null, Place.Nobody, () => FakeShim.Greeted(_router));
        ShowMuch(family);
        Assert.That(_router.Programs(), Is.Not.Empty, "what runs for the first time takes memory");
        long before = MemoryTests.AnonymousKib(_router);
        int descriptors = _router.Descriptors;
        List<FakeShim> askers = [];
        List<Received> answers = [];
        for (int i = 0; i < sessions; i++)
        {
            askers.Add(Place.Run(null, Place.Nobody, () => new FakeShim(_router)));
            askers[^1].AskStatus();
            answers.Add(askers[^1].Receive());
            Assert.That(answers[^1].Type, Is.EqualTo(MessageType.StatusReply));
        }
        Assert.That(MemoryTests.AnonymousKib(_router), Is.LessThan(before + tolerated), "KiB");
        Assert.That(_router.Programs(), Is.Not.Empty, "root is answered");
        for (int i = 0; i < sessions - mostUnread; i++) Assert.That(IsWhole(Read(answers[i])), Is.False, $"answer {i}");
        Assert.That(JsonDocument.Parse(Read(answers[^1])).RootElement.GetProperty("processes").GetArrayLength(), Is.EqualTo(1));
        foreach (Received answer in answers) answer.Dispose();
        foreach (FakeShim asker in askers) asker.Dispose();
        Assert.That(() => _router.Descriptors, Is.EqualTo(descriptors).After(5000, 50));
    }

    private static bool IsWhole(string answer) => answer.EndsWith("}}", StringComparison.Ordinal);

    private const int Much = 4000;

    /// <summary>Records for a status that no socket's buffer holds.</summary>
    private static void ShowMuch(FakeShim shim)
    {
        shim.Family.Header->RecordsUsed = Much;
        for (uint i = 0; i < Much; i++) shim.Family.Record(i)->State = (uint)ConnectionState.Kernel;
    }

    /// <summary>All that comes to the end.</summary>
    private static string Read(Received answer)
    {
        using FileStream stream = new(new Microsoft.Win32.SafeHandles.SafeFileHandle(Libc.fcntl(answer.Descriptors[0], Libc.F_DUPFD_CLOEXEC, 0), ownsHandle: true), FileAccess.Read);
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
