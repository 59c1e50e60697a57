using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Whatever is malformed ends that session, is logged in one line, and disturbs nobody else.</summary>
public class HostileMessageTests : BystanderTests
{
    [TestCase(FamilyLayout.TotalBytes, 0, FamilyLayout.Magic, TestName = "TableWithoutSeals")]
    [TestCase(FamilyLayout.TotalBytes, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW, FamilyLayout.Magic, TestName = "TableWhoseSealsAreOpen")]
    [TestCase(FamilyLayout.TotalBytes, Libc.F_SEAL_SEAL | Libc.F_SEAL_GROW, FamilyLayout.Magic, TestName = "TableThatMayShrink")]
    [TestCase(FamilyLayout.TotalBytes - 4096, SealedMemory.SizeSeals, FamilyLayout.Magic, TestName = "TableTooSmall")]
    [TestCase(FamilyLayout.TotalBytes + 4096, SealedMemory.SizeSeals, FamilyLayout.Magic, TestName = "TableTooLarge")]
    [TestCase(FamilyLayout.TotalBytes, SealedMemory.SizeSeals, 1u, TestName = "TableOfAnotherKind")]
    public void FamilyTablesAreChecked(long bytes, int seals, uint magic)
    {
        using FakeShim shim = new(Router, new FamilyMemory(bytes, seals, magic));
        shim.Hello();
        AssertClosed(shim);
    }

    /// <summary>Where huge pages run out, whoever touches one is killed.</summary>
    [Test]
    public void AFamilyTableOfHugePagesIsNotTaken()
    {
        const int hugePages = 4, page = 2 << 20; // MFD_HUGETLB
        using FakeShim shim = new(Router);
        int huge = Libc.memfd_create("huge", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING | hugePages);
        if (huge < 0 || Libc.ftruncate(huge, (FamilyLayout.TotalBytes + page - 1) / page * page) != 0) Assert.Ignore($"this kernel has no huge pages: {Errno.LastText}");
        Libc.fcntl(huge, Libc.F_ADD_SEALS, SealedMemory.SizeSeals);
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        shim.Send(packet.AsSpan(0, new Hello { ProtocolVersion = Protocol.Version, ProcessId = 1, ProgramName = "huge"u8 }.Write(packet)), huge);
        Libc.close(huge);
        AssertClosed(shim);
        Assert.That(Router.Process.WaitFor("no memory of the usual pages"), Router.Process.Output);
    }

    [Test]
    public void HelloTwiceCloses()
    {
        using FakeShim shim = FakeShim.Greeted(Router);
        shim.Hello();
        AssertClosed(shim);
    }

    [Test]
    public void ASlotOutsideTheTableCloses()
    {
        using FakeShim shim = new(Router);
        shim.Hello(slot: FamilyLayout.SlotCount);
        AssertClosed(shim);
    }

    [Test]
    public void AnotherVersionIsToldOursAndClosed()
    {
        using FakeShim shim = new(Router);
        shim.Hello(version: Protocol.Version + 1);
        Assert.That(shim.Receive().Type, Is.EqualTo(MessageType.Welcome));
        AssertClosed(shim);
    }

    [Test]
    public void AnOfferOutsideTheTableCloses()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(Router);
        shim.Offer(FamilyLayout.RecordCount, pair.Client);
        AssertClosed(shim);
    }

    [Test]
    public void AnOfferBeforeHelloCloses()
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = new(Router);
        shim.Offer(0, pair.Client);
        AssertClosed(shim);
    }

    [TestCase(0)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(40)]
    public void AWrongNumberOfDescriptorsCloses(int count)
    {
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim shim = FakeShim.Greeted(Router);
        byte[] packet = new byte[16];
        shim.Send(packet.AsSpan(0, new Offer().Write(packet)), Enumerable.Repeat((int)pair.Client.Handle, count).ToArray());
        AssertClosed(shim);
    }

    [Test]
    public void AProcessThatNeverReadsLosesItsSessionOnly()
    {
        using FakeShim deaf = FakeShim.Greeted(Router);
        using Socket unconnected = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        byte[] packet = new byte[16];
        int length = new Offer { Connection = 1 }.Write(packet);
        for (int i = 0; i < 100_000 && !Router.Process.Output.Contains("could not be sent", StringComparison.Ordinal); i++) deaf.Send(packet.AsSpan(0, length), (int)unconnected.Handle);
        Assert.That(Router.Process.WaitFor("could not be sent"), Router.Process.Output);
        AssertOthersUndisturbed();
    }

    [Test]
    public void RandomMessagesDoNoHarm([Values(1, 2, 3)] int seed)
    {
        Random random = new(seed);
        using TcpPair pair = TcpPair.Loopback();
        Assert.That(Bystander.HearsNothing());
        int before = Router.Descriptors;
        byte[] packet = new byte[600];
        for (int round = 0; round < 150; round++)
        {
            using FakeShim shim = random.Next(2) == 0 ? new FakeShim(Router) : FakeShim.Greeted(Router);
            for (int i = 0; i < 20; i++)
            {
                int length = random.Next(3) switch
                {
                    0 => Noise(random, packet.AsSpan(0, random.Next(packet.Length))),
                    1 => Damaged(random, packet),
                    _ => new Offer { Connection = (uint)random.Next(1 << random.Next(1, 31)), Generation = (uint)random.Next() }.Write(packet),
                };
                int[] pool = [shim.Family.Memory, (int)pair.Client.Handle, (int)pair.Server.Handle];
                if (!shim.Send(packet.AsSpan(0, length), random.GetItems(pool, random.Next(4)))) break;
            }
        }
        AssertOthersUndisturbed();
        Assert.That(() => Router.Descriptors, Is.EqualTo(before).After(2000, 20), "no descriptor is left behind");
    }

    /// <summary>The router has the last descriptor of a socket whose close waits for a peer that never reads.</summary>
    [Test]
    public void ASocketThatLingersHoldsUpNobody()
    {
        using TcpPair pair = TcpPair.Loopback();
        pair.Client.Blocking = false;
        try { while (true) pair.Client.Send(new byte[65536]); }
        catch (SocketException) { /* full */ }
        pair.Client.LingerState = new LingerOption(true, 60);
        using FakeShim shim = FakeShim.Greeted(Router);
        Kernel.kill(Router.Process.Process.Id, Kernel.SIGSTOP);
        shim.Offer(1, pair.Client);
        pair.Client.Dispose();
        Kernel.kill(Router.Process.Process.Id, Kernel.SIGCONT);
        AssertOthersUndisturbed();
    }

    /// <summary>
    /// As many descriptors as the kernel carries in one message (SCM_MAX_FD), and the close of each would wait for a peer that never reads: the router's one thread must
    /// do none of these, nor leave that to the kernel, which closes what finds no room in the receiver's buffer.
    /// </summary>
    [Test]
    public void AsManyDescriptorsAsTheKernelCarriesHoldUpNobody()
    {
        List<TcpPair> pairs = [];
        int before = Router.Descriptors;
        try
        {
            for (int i = 0; i < 4; i++)
            {
                TcpPair pair = TcpPair.Loopback();
                pairs.Add(pair);
                pair.Client.Blocking = false;
                try { while (true) pair.Client.Send(new byte[65536]); }
                catch (SocketException) { /* full */ }
                pair.Client.LingerState = new LingerOption(true, 30);
            }
            using FakeShim shim = FakeShim.Greeted(Router);
            byte[] packet = new byte[16];
            // The last of them are those that a smaller buffer has no room for.
            int[] many = [.. Enumerable.Repeat(shim.Family.Memory, SeqPacket.MostDescriptors - pairs.Count), .. pairs.Select(pair => (int)pair.Client.Handle)];
            Kernel.kill(Router.Process.Process.Id, Kernel.SIGSTOP);
            Assert.That(shim.Send(packet.AsSpan(0, new Offer { Connection = 1 }.Write(packet)), many), Errno.LastText);
            foreach (TcpPair pair in pairs) pair.Client.Dispose();
            Kernel.kill(Router.Process.Process.Id, Kernel.SIGCONT);
            AssertClosed(shim);
        }
        finally
        {
            foreach (TcpPair pair in pairs) pair.Server.Dispose();
        }
        Assert.That(() => Router.Descriptors, Is.EqualTo(before).After(5000, 20), "no descriptor is left behind");
    }

    /// <summary>The kernel closes with a socket what lies in it unread, and waits for each of those.</summary>
    [Test]
    public void ASocketThatLingersInsideAnotherOneHoldsUpNobody([Values(1, 3)] int depth)
    {
        using Full full = new();
        using FakeShim shim = FakeShim.Greeted(Router);
        int wrapped = full.TakeClient();
        for (int i = 0; i < depth; i++) wrapped = Wrap(wrapped);
        byte[] packet = new byte[16];
        shim.Send(packet.AsSpan(0, new Offer { Connection = 1 }.Write(packet)), wrapped);
        Libc.close(wrapped);
        using Received answer = shim.Receive();
        Assert.That(answer.Reason, Is.EqualTo(Reason.NotEstablished));
        AssertOthersUndisturbed();
    }

    /// <summary>What lies unread in a session's own queue: behind a message that ends the session, in a packet of no bytes, and behind as many messages as are read at a time.</summary>
    [TestCase(0, 0)]
    [TestCase(0, 4)]
    [TestCase(40, 4)]
    public void WhatLiesInASessionsQueueHoldsUpNobody(int before, int bytes)
    {
        using Full full = new();
        using FakeShim shim = FakeShim.Greeted(Router);
        Kernel.kill(Router.Process.Process.Id, Kernel.SIGSTOP);
        for (int i = 0; i < before; i++) shim.Withdraw(1);
        shim.Send([1, 2, 3]);
        int client = full.TakeClient();
        shim.Send(new byte[bytes], client);
        Libc.close(client);
        Kernel.kill(Router.Process.Process.Id, Kernel.SIGCONT);
        AssertOthersUndisturbed();
    }

    /// <summary>Callers that are turned away, or whose first message is none, may have sent something before they were heard.</summary>
    [Test]
    public void WhatACallerSendsBeforeItIsHeardHoldsUpNobody()
    {
        using RouterUnderTest crowded = RouterUnderTest.Start("--max-sessions-per-user", "1");
        using FakeShim inside = FakeShim.Greeted(crowded), outside = new(crowded);
        using Full full = new();
        Kernel.kill(crowded.Process.Process.Id, Kernel.SIGSTOP);
        using FakeShim another = new(crowded);
        int client = full.TakeClient();
        another.Send([], client);
        Libc.close(client);
        Kernel.kill(crowded.Process.Process.Id, Kernel.SIGCONT);
        Assert.That(crowded.Process.WaitFor("turned away"), crowded.Process.Output);
        Assert.That(inside.HearsNothing());
    }

    /// <summary>
    /// A socket's lock is its program's for as long as a transfer takes, which may be as long as it likes. The session that has shown it waits; others of its user do not, nor another user's if that
    /// user has used up all that there are threads for.
    /// </summary>
    [Test]
    public unsafe void ASocketWhoseLockIsHeldHoldsUpNobody()
    {
        const int threads = 4, sessions = 8;
        List<IDisposable> all = [];
        using TcpPair pair = TcpPair.Loopback();
        using FakeShim nobody = Place.Run(null, Place.Nobody, () => FakeShim.Greeted(Router, "nobody"));
        FakeShim first = FakeShim.Greeted(Router);
        all.Add(first);
        using (UndeliveredMemory held = new(page => Libc.send((int)pair.Client.Handle, (void*)page, 1, 0)))
        {
            for (int i = 0; i < sessions; i++)
            {
                if (i == threads) AssertAreJoined(nobody);
                FakeShim shim = i == 0 ? first : FakeShim.Greeted(Router);
                if (i > 0) all.Add(shim);
                shim.Offer(1, pair.Client);
                if (i < threads - 1) AssertOthersUndisturbed();
            }
            AssertAreJoined(nobody);
            // Its end is heard of all the same, and dealt with behind the question.
            all[^1].Dispose();
            all.RemoveAt(all.Count - 1);
            AssertAreJoined(nobody);
        }
        Assert.That(first.HearsNothing(), "it goes on behind the answer");
        AssertOthersUndisturbed();
        foreach (IDisposable shim in all) shim.Dispose();
    }

    /// <summary>SO_LINGER goes on and off while the router looks at the socket and closes it, from many sessions of one user: whoever is waited for is that user.</summary>
    [Test]
    public void ALingerThatChangesAtTheLastMomentHoldsUpNobody()
    {
        using Full full = new();
        Socket client = full.Pair.Client;
        bool done = false;
        Thread flicker = new(() =>
        {
            for (bool on = false; !Volatile.Read(ref done); on = !on) client.LingerState = new LingerOption(on, 30);
        });
        flicker.Start();
        try
        {
            for (int i = 0; i < 100; i++)
            {
                using FakeShim shim = FakeShim.Greeted(Router);
                shim.Offer(1, client);
                if (i % 10 == 0) AssertOthersUndisturbed();
            }
        }
        finally
        {
            Volatile.Write(ref done, true);
            flicker.Join();
        }
        AssertOthersUndisturbed();
    }

    /// <summary>One that makes the router wait is not read meanwhile, others are, and in the end nothing is left.</summary>
    [Test]
    public void WhoMakesTheRouterWaitWaitsItself()
    {
        const int sockets = 3;
        int before = Router.Descriptors;
        List<Full> fulls = [];
        FakeShim slow = FakeShim.Greeted(Router);
        byte[] packet = new byte[16];
        int length = new Offer { Connection = 1 }.Write(packet);
        for (int i = 0; i < sockets; i++)
        {
            fulls.Add(new Full());
            int wrapped = fulls[^1].TakeClient();
            for (int copies = 0; copies < 40; copies++) slow.Send(packet.AsSpan(0, length), wrapped);
            Libc.close(wrapped);
        }
        for (int i = 0; i < 3; i++) AssertOthersUndisturbed();
        slow.Dispose();
        foreach (Full full in fulls) full.Dispose();
        AssertOthersUndisturbed();
        Assert.That(() => Router.Descriptors, Is.EqualTo(before).After(20_000, 50), "no descriptor is left behind");
    }

    /// <summary>Puts a descriptor, which is closed here, into a Unix socket of its own, and returns the end in whose queue it lies.</summary>
    private static unsafe int Wrap(int descriptor)
    {
        int* ends = stackalloc int[2];
        Assert.That(Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC, 0, ends), Is.Zero);
        Assert.That(SeqPacket.Send(ends[0], [1], [descriptor]), Errno.LastText);
        Libc.close(ends[0]);
        Libc.close(descriptor);
        return ends[1];
    }

    /// <summary>A connection whose client's last close waits for half a minute: its server does not read.</summary>
    private sealed class Full : IDisposable
    {
        public Full()
        {
            Pair.Client.Blocking = false;
            try { while (true) Pair.Client.Send(new byte[65536]); }
            catch (SocketException) { /* full */ }
            Pair.Client.LingerState = new LingerOption(true, 30);
        }

        public TcpPair Pair { get; } = TcpPair.Loopback();

        /// <summary>The client's only descriptor, from here on the caller's.</summary>
        public int TakeClient()
        {
            int copy = Libc.fcntl((int)Pair.Client.Handle, Libc.F_DUPFD_CLOEXEC, 0);
            Pair.Client.Dispose();
            return copy;
        }

        /// <summary>Without its server nothing is waited for.</summary>
        public void Dispose()
        {
            Pair.Server.Dispose();
            Pair.Client.Dispose();
        }
    }

    [Test]
    public void DescriptorsThatDoNotBelongAreClosed([Values(1, 7)] int seed)
    {
        Random random = new(seed);
        Assert.That(Bystander.HearsNothing());
        int before = Router.Descriptors;
        byte[] packet = new byte[64];
        for (int round = 0; round < 60; round++)
        {
            int[] strange =
            [
                Libc.open("/dev/null", Libc.O_RDONLY | Libc.O_CLOEXEC), Libc.open("/etc/passwd", Libc.O_RDONLY | Libc.O_CLOEXEC), Libc.open("/proc", 0x200000 | Libc.O_CLOEXEC), // O_PATH
                Libc.epoll_create1(Libc.EPOLL_CLOEXEC), Libc.eventfd(0, Libc.EFD_CLOEXEC), Libc.memfd_create("strange", Libc.MFD_CLOEXEC),
                Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0), Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0),
            ];
            using FakeShim shim = random.Next(2) == 0 ? new FakeShim(Router) : FakeShim.Greeted(Router);
            for (int i = 0; i < 5; i++)
            {
                int length = random.Next(3) switch
                {
                    0 => new Hello { ProtocolVersion = Protocol.Version, ProcessId = 5, ProgramName = "strange"u8 }.Write(packet),
                    1 => new StatusRequest { Version = StatusRequest.CurrentVersion }.Write(packet),
                    _ => new Offer { Connection = (uint)random.Next(100), Generation = (uint)random.Next(3) }.Write(packet),
                };
                if (!shim.Send(packet.AsSpan(0, length), random.GetItems(strange, random.Next(4) == 0 ? 40 : 1))) break;
            }
            foreach (int descriptor in strange) Libc.close(descriptor);
        }
        AssertOthersUndisturbed();
        Assert.That(() => Router.Descriptors, Is.EqualTo(before).After(3000, 20), "no descriptor is left behind");
    }

    /// <summary>A family table full of nonsense shows as nonsense within bounds.</summary>
    [Test]
    public unsafe void AHostileTableCannotBreakTheStatus()
    {
        new Random(5).NextBytes(new Span<byte>(Bystander.Family.Record(0), 1000 * FamilyLayout.RecordBytes));
        Bystander.Family.Header->RecordsUsed = uint.MaxValue;
        Bystander.Family.Record(0)->KernelSent = ulong.MaxValue;
        System.Text.Json.JsonElement process = Router.Status().GetProperty("processes").EnumerateArray().Single();
        System.Text.Json.JsonElement[] connections = process.GetProperty("connections").EnumerateArray().ToArray();
        Assert.That(connections, Has.Length.InRange(900, 1000));
        Assert.That(connections[0].GetProperty("kernel_sent").GetInt64(), Is.EqualTo(long.MaxValue));
        Assert.That(connections.Select(connection => connection.GetProperty("age_s").GetDouble()), Has.All.GreaterThanOrEqualTo(0));
    }

    private static int Noise(Random random, Span<byte> packet)
    {
        random.NextBytes(packet);
        return packet.Length;
    }

    private static int Damaged(Random random, byte[] packet)
    {
        int length = new Hello { ProtocolVersion = Protocol.Version, Slot = (uint)random.Next(2000), ProcessId = 5, ProgramName = "fuzz"u8 }.Write(packet);
        packet[random.Next(length)] ^= (byte)(1 << random.Next(8));
        return random.Next(4) == 0 ? random.Next(length) : length;
    }

    private void AssertClosed(FakeShim shim)
    {
        using Received next = shim.Receive();
        Assert.That(next.IsClosed, $"{next.Type}");
        Assert.That(Router.Process.WaitFor(" closed: "), Router.Process.Output);
        AssertOthersUndisturbed();
    }
}
