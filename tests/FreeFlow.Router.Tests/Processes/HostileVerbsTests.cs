using System;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Sessions;
using FreeFlow.Router.Verbs;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Programs with verbs that are hostile to the router and to others: whatever they send ends their own session, and costs them alone.</summary>
public sealed class HostileVerbsTests : BystanderTests
{
    private const int HugePages = 4;  // MFD_HUGETLB
    private const int RegionSeals = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW;

    /// <summary>A peer's region lies in a file that its owner is in the midst of writing, from memory that is not delivered: the file's lock is the owner's.</summary>
    [Test]
    public unsafe void ARegionWhoseFileIsBeingWrittenHoldsUpNobody()
    {
        const uint key = 77;
        using FakeVerbs owner = FakeVerbs.Greeted(Router), peer = FakeVerbs.Greeted(Router);
        uint theirs = owner.Create(), ours = peer.Create();
        int memory = Memory(4096);
        Assert.That((owner.Register(key, memory, 100), owner.Connect(theirs, ours), peer.Connect(ours, theirs)), Is.EqualTo((0u, 0u, 0u)));
        Assert.That(peer.WriteEdge(ours, key, "first"u8), Is.Zero);
        using (new UndeliveredMemory(page => Libc.pwrite(memory, (void*)page, 8, 1000)))
        {
            Assert.That(peer.WriteEdge(ours, key, "again"u8), Is.Zero);
            AssertOthersUndisturbed();
        }
        byte* bytes = stackalloc byte[5];
        Libc.pread(memory, bytes, 5, 0);
        Assert.That(new Span<byte>(bytes, 5).SequenceEqual("again"u8));
        Libc.close(memory);
    }

    /// <summary>The socket that proves an address is one that its owner holds in the midst of a transfer.</summary>
    [Test]
    public unsafe void AProofWhoseLockIsHeldHoldsUpNobody()
    {
        using FakeVerbs hostile = FakeVerbs.Greeted(Router), honest = FakeVerbs.Greeted(Router);
        uint number = hostile.Create(), other = honest.Create();
        using TcpPair pair = TcpPair.Loopback();
        using UndeliveredMemory held = new(page => Libc.send((int)pair.Client.Handle, (void*)page, 1, 0));
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        hostile.Send(packet.AsSpan(0, new VerbsConnect { Number = number }.Write(packet)), (int)pair.Client.Handle);
        Assert.That(honest.Connect(other, number), Is.Zero);
        AssertOthersUndisturbed();
    }

    /// <summary>Where huge pages run out, whoever touches one is killed; and a part of one cannot be unmapped.</summary>
    [Test]
    public void MemoryOfHugePagesIsNotTaken()
    {
        const long bytes = 2 << 20;
        using FakeVerbs hostile = FakeVerbs.Greeted(Router);
        int huge = Libc.memfd_create("huge", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING | HugePages);
        if (huge < 0 || Libc.ftruncate(huge, bytes) != 0) Assert.Ignore($"this kernel has no huge pages: {Errno.LastText}");
        Libc.fcntl(huge, Libc.F_ADD_SEALS, RegionSeals);
        Assert.That(hostile.Register(1, huge, bytes), Is.EqualTo((uint)Errno.EINVAL));
        Libc.close(huge);
        AssertOthersUndisturbed();
    }

    [Test]
    public void AnAddressThatIsNotTheSocketsIsNotTaken()
    {
        using FakeVerbs hostile = FakeVerbs.Greeted(Router);
        using TcpPair pair = TcpPair.Connect(new System.Net.IPEndPoint(System.Net.IPAddress.Parse("127.0.0.9"), 0), new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        uint number = hostile.Create();
        Assert.That(hostile.Connect(number, 5, (int)pair.Client.Handle), Is.EqualTo((uint)Errno.EACCES), "another address");
        Assert.That(hostile.Connect(number, 5, Bystander.Family.Memory), Is.EqualTo((uint)Errno.EACCES), "no socket");
        Assert.That(hostile.Connect(number, 5), Is.Zero);
    }

    /// <summary>What one user's programs keep of this router's descriptors is limited, and comes back.</summary>
    [Test]
    public void DescriptorsAreLimitedForEachUser()
    {
        using RouterUnderTest router = RouterUnderTest.StartWithDescriptors(1200);
        using FakeVerbs hostile = FakeVerbs.Greeted(router), another = FakeVerbs.Greeted(router);
        int memory = Memory(4096), before = router.Descriptors;
        uint registered = 0;
        while (registered < 1000 && hostile.Register(registered + 1, memory, 100) == 0) registered++;
        Assert.That(registered, Is.InRange(200, 300), "a quarter of 1200");
        Assert.That(another.Register(1, memory, 100), Is.EqualTo((uint)Errno.ENOMEM), "the same user's other program");
        hostile.Dispose();
        Assert.That(() => router.Descriptors, Is.LessThanOrEqualTo(before).After(10_000, 50));
        Assert.That(another.Register(1, memory, 100), Is.Zero);
        Libc.close(memory);
    }

    [Test]
    public void MappingsAreLimitedForEachUser()
    {
        UserAccount one = new(1), other = new(2);
        int most = 0;
        while (most < 100_000 && MapReserve.TryTake(one, 1)) most++;
        Assert.That(most, Is.InRange(1000, 65530 / 4), "a quarter of vm.max_map_count, where that is the usual one");
        Assert.That(VerbsPair.TryCreate(one), Is.Null);
        using (VerbsPair? pair = VerbsPair.TryCreate(other)) Assert.That(pair, Is.Not.Null);
        MapReserve.Return(one, most);
        Assert.That((one.Mappings, other.Mappings, other.VerbsDescriptors), Is.EqualTo((0, 0, 0ul)));
    }

    [Test]
    public void AnEndWithManyObjectsIsDealtWithInParts()
    {
        const int parts = 3;
        VerbsBroker broker = new(new Log(false));
        UserAccount account = new(1);
        VerbsClient client = new(new Session(1, -1, default, account, new Queue<Session>()), 1);
        broker.Begin(client);
        for (int i = 0; i < parts * VerbsBroker.PartsAtATime; i++) Assert.That(broker.Create(client, 1, VerbsProtocol.ReliableConnection, out _), Is.Zero);
        for (int part = 1; part < parts; part++)
        {
            Assert.That(broker.End(client), Is.False);
            Assert.That(client.QueuePairs, Has.Count.EqualTo((parts - part) * VerbsBroker.PartsAtATime));
        }
        while (!broker.End(client)) { }
        Assert.That((client.QueuePairs.Count, broker.Clients.Count), Is.EqualTo((0, 0)));
    }

    /// <summary>Paths to a datagram queue pair are limited for each user that is not its own.</summary>
    [Test]
    public void StrangersCannotTakeAllPathsToAQueuePair()
    {
        VerbsBroker broker = new(new Log(false));
        static VerbsClient Of(ulong id, uint user) => new(new Session(id, -1, new PeerCredentials { UserId = user }, new UserAccount(user), new Queue<Session>()), 1);
        VerbsClient owner = Of(1, 1000), stranger = Of(2, 1001), another = Of(3, 1002);
        VerbsQueuePair receiver = new(5, owner, 1, VerbsProtocol.UnreliableDatagram), sender = new(6, stranger, 1, VerbsProtocol.UnreliableDatagram);
        for (int i = 0; i < VerbsQueuePair.MostPathsOfAnother; i++)
        {
            Assert.That(receiver.MayHearFrom(stranger));
            receiver.Incoming.Add(new VerbsPath(null!, sender, receiver, default, default));
        }
        Assert.That((receiver.MayHearFrom(stranger), receiver.MayHearFrom(another), receiver.MayHearFrom(owner)), Is.EqualTo((false, true, true)));
    }

    /// <summary>Messages of every type with any numbers, changed bits, and descriptors that do not belong.</summary>
    [Test]
    public void RandomMessagesDoNoHarm([Values(1, 2, 3)] int seed)
    {
        Random random = new(seed);
        using TcpPair pair = TcpPair.Loopback();
        AssertOthersUndisturbed();
        int before = Router.Descriptors, memory = Memory(4096), unsealed = Memory(4096, seals: 0), large = Memory(1 << 30);
        for (int round = 0; round < 60; round++)
        {
            using FakeVerbs hostile = FakeVerbs.Greeted(Router);
            uint[] numbers = [hostile.Create(), hostile.Create(VerbsProtocol.UnreliableDatagram), 0, 1, (uint)random.Next()];
            int[] pool = [memory, unsealed, large, (int)pair.Client.Handle, hostile.Proof];
            for (int i = 0; i < 60; i++)
            {
                byte[] packet = Message(random, numbers);
                if (random.Next(8) == 0 && packet.Length > 0) packet[random.Next(packet.Length)] ^= (byte)(1 << random.Next(8));
                bool fits = (MessageType)packet[1] is MessageType.VerbsConnect or MessageType.VerbsRegister;
                int[] shown = random.Next(6) == 0 ? random.GetItems(pool, random.Next(4)) : fits ? [pool[random.Next(pool.Length)]] : [];
                if (!hostile.Send(packet, shown)) break;
            }
        }
        AssertOthersUndisturbed();
        foreach (int descriptor in (int[])[memory, unsealed, large]) Libc.close(descriptor);
        Assert.That(Router.Status().GetProperty("router").GetProperty("faults").GetInt64(), Is.Zero, Router.Process.Output);
        Assert.That(() => Router.Descriptors, Is.EqualTo(before).After(10_000, 50), "no descriptor is left behind");
    }

    private static byte[] Message(Random random, uint[] numbers)
    {
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        uint number = numbers[random.Next(numbers.Length)], peer = numbers[random.Next(numbers.Length)], key = (uint)random.Next(4);
        ulong address = random.Next(3) switch { 0 => 0, 1 => (ulong)random.Next(5000), _ => (ulong)random.NextInt64() };
        (ulong high, ulong low) = ((ulong)(FakeVerbs.Address.Value >> 64), (ulong)FakeVerbs.Address.Value);
        int length = random.Next(9) switch
        {
            0 => new VerbsCreateQueuePair { Domain = 1, Kind = (uint)random.Next(2, 5) }.Write(packet),
            1 => new VerbsListen { Number = number }.Write(packet),
            2 or 3 => new VerbsConnect { Number = number, PeerNumber = peer, Access = (uint)random.Next(16), OwnHigh = high, OwnLow = low, PeerHigh = high, PeerLow = low }.Write(packet),
            4 => new VerbsLeave { Number = number, IsDestroyed = (uint)random.Next(2) }.Write(packet),
            5 => new VerbsRegister { Domain = 1, Key = key, Access = VerbsProtocol.RemoteAccess, Length = random.Next(2) == 0 ? 100 : address, Address = address }.Write(packet),
            6 => new VerbsDeregister { Key = key }.Write(packet),
            7 => new VerbsResolve { Number = number, Key = key }.Write(packet),
            _ => new VerbsEdge { Number = number, Key = key, Operation = (uint)random.Next(4), Address = address, Length = 8, Data = random.Next(2) == 0 ? new byte[8] : default }.Write(packet),
        };
        return packet[..length];
    }

    private static int Memory(long bytes, int seals = RegionSeals)
    {
        int memory = Libc.memfd_create("region", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        Assert.That(memory >= 0 && Libc.ftruncate(memory, bytes) == 0 && (seals == 0 || Libc.fcntl(memory, Libc.F_ADD_SEALS, seals) == 0), Errno.LastText);
        return memory;
    }
}
