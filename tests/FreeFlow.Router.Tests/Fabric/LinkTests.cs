using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>Two fabrics on loopback addresses, streams between ends that the test plays, and routers that do not behave.</summary>
[NonParallelizable]
public sealed unsafe class LinkTests
{
    private const string FirstHost = "127.0.5.1", SecondHost = "127.0.5.2";

    private static readonly byte[] Mark = new byte[RingLayout.ReturnMarkBytes];

    private Certificates _certificates = null!;
    private RecordedEvents _first = null!, _second = null!;

    [SetUp]
    public void SetUp()
    {
        _certificates = new Certificates();
        _first = new RecordedEvents();
        _second = new RecordedEvents();
    }

    [TearDown]
    public void TearDown() => _certificates.Dispose();

    [TestCase(false, TestName = "Streams in the clear")]
    [TestCase(true, TestName = "Streams by mutual TLS")]
    public void BytesArriveInOrderAndSlowReadersHoldUpNobody(bool secure)
    {
        const int streams = 8;
        using TcpFabric first = TestRouter.Start(Options(FirstHost, secure), _first), second = TestRouter.Start(Options(SecondHost, secure), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd Sender, FakeEnd Reader)[] pairs = [.. Enumerable.Range(1, streams).Select(i => Join(one, other, (uint)i))];
        foreach ((FakeEnd sender, FakeEnd reader) in pairs)
        {
            reader.AnnounceReady();
            sender.Switch(17);
            FakeEnd.Eventually(() => reader.InState == HandoverState.Ring, "the reader learns of the switch");
            Assert.That(reader.In->SwitchAt, Is.EqualTo(17));
        }
        // The first reader does not read: its sender gets rid of a ring full, and the others of everything.
        Random random = new(7);
        byte[] sent = new byte[600_000], got = new byte[sent.Length];
        random.NextBytes(sent);
        int[] written = new int[streams], read = new int[streams];
        FakeEnd.Eventually(
            () =>
            {
                for (int i = 0; i < streams; i++)
                {
                    written[i] += pairs[i].Sender.Write(sent.AsSpan(written[i], Math.Min(random.Next(40_000), sent.Length - written[i])));
                    if (i == 0) continue;
                    Span<byte> target = got.AsSpan(0, random.Next(40_000));
                    int length = pairs[i].Reader.Read(target);
                    Assert.That(target[..length].SequenceEqual(sent.AsSpan(read[i], length)), Is.True, $"stream {i} at {read[i]}");
                    read[i] += length;
                }
                return read.Skip(1).All(length => length == sent.Length);
            },
            "all but the first stream arrive");
        Assert.That(written[0], Is.EqualTo((int)FakeEnd.Capacity));
        foreach ((FakeEnd sender, FakeEnd reader) in pairs) { sender.Dispose(); reader.Dispose(); }
        FakeEnd.Eventually(() => one.Streams == 0 && other.Streams == 0, "both sides forget streams whose ends have closed");
    }

    [Test]
    public void WhoCallsOnceMoreHasOneLink()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first);
        using Socket once = TestRouter.Call(SecondHost, FirstHost, Port);
        Assert.That(_first.Link.IsUp, Is.True);
        using Socket again = TestRouter.Call(SecondHost, FirstHost, Port);
        FakeEnd.Eventually(() => !_first.Losses.IsEmpty, "the first one ends");
        Assert.That(_first.Losses, Is.EqualTo(new[] { "it has called once more" }));
        Assert.That(first.Find(TestRouter.Address(SecondHost)), Is.Not.Null, "the other one stands");
    }

    [Test]
    public void ABellThatIsFullStillRings()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (FakeEnd sender, FakeEnd reader) = JoinInRing(first);
        sender.FillBell();
        for (int i = 0; i < 5; i++)
        {
            System.Threading.Thread.Sleep(20); // for the router to have heard all there is and to sleep
            sender.Write("a few words"u8);
            FakeEnd.Eventually(() => reader.In->Tail == (ulong)(11 * (i + 1)), "they arrive");
        }
        sender.Dispose();
        reader.Dispose();
    }

    /// <summary>Some of it is read while bytes still come, which is told with the next of them, and the rest when none come any more.</summary>
    [Test]
    public void TheSenderHearsOfAllThatIsRead()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (FakeEnd sender, FakeEnd reader) = JoinInRing(first);
        Random random = new(7);
        byte[] much = new byte[FakeEnd.Capacity];
        ulong written = 0, read = 0;
        for (int round = 0; round < 50; round++)
        {
            // Not so much that the reader has to ring; it has read enough for the next piece, the last one, to tell.
            Arrive(random.Next(28_000, 32_000));
            read += (ulong)reader.Read(much.AsSpan(0, random.Next(8192, 9000)));
            Arrive(random.Next(12_000, 16_000));
            read += (ulong)reader.Read(much);
            Assert.That(read, Is.EqualTo(written));
            FakeEnd.Eventually(() => written - sender.Out->Head <= FakeEnd.Capacity / 2, $"the sender has room in round {round}");
        }
        sender.Dispose();
        reader.Dispose();

        void Arrive(int bytes)
        {
            written += (ulong)sender.Write(much.AsSpan(0, bytes));
            FakeEnd.Eventually(() => reader.In->Tail == written, "they arrive");
        }
    }

    [Test]
    public void EndsAndRequestsToReturnAreTold()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (FakeEnd sender, FakeEnd reader) = JoinInRing(first);
        sender.Write("the last words"u8);
        reader.In->ReaderWantsKernel = 1;
        reader.Knock();
        FakeEnd.Eventually(() => sender.Out->ReaderWantsKernel == 1, "the sender is asked to return");
        sender.Dispose();
        FakeEnd.Eventually(() => reader.In->WriterClosed == 1, "the reader learns that its peer is gone");
        Assert.That(reader.In->Tail, Is.EqualTo(14), "and every byte was in its ring before");
        Assert.That(reader.Out->ReaderClosed, Is.EqualTo(1));
        FakeEnd.Eventually(() => reader.IsBellClosed, "the router lets go of the reader's doorbell");
        reader.Dispose();
    }

    [Test]
    public void AReaderThatTakesItsReadyBackReleasesASenderThatHasNotSwitched()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd sender, FakeEnd reader) = Join(one, other, 1);
        reader.AnnounceReady();
        FakeEnd.Eventually(() => sender.OutState == HandoverState.Ready, "the sender learns that the reader is Ready");
        reader.In->ReaderWantsKernel = 1;
        reader.Knock();
        FakeEnd.Eventually(() => reader.InState == HandoverState.Kernel, "the reader is released");
        Assert.That(sender.OutState, Is.EqualTo(HandoverState.Kernel));
        sender.Dispose();
        reader.Dispose();
    }

    [Test]
    public void AReaderWhoseReadyNobodyHasHeardOfIsReleased()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        using FakeEnd reader = new(Mark, Mark);
        Assert.That(other.Carry(new FabricStream(1, 1, reader.Router, speaksFirst: false, "reader")), Is.True);
        reader.AnnounceReady();
        one.TurnDown(1);
        FakeEnd.Eventually(() => reader.IsBellClosed, "the stream that the other side does not want ends");
        Assert.That((reader.InState, reader.In->WriterClosed), Is.EqualTo((HandoverState.Kernel, 1u)));
    }

    [Test]
    public void TwoRoutersThatCallEachOtherAtOnceGetOneLink()
    {
        for (int round = 0; round < 20; round++)
        {
            RecordedEvents ours = new(), theirs = new();
            using TcpFabric first = TestRouter.Start(Options(FirstHost, false), ours), second = TestRouter.Start(Options(SecondHost, false), theirs);
            using Barrier together = new(2);
            Parallel.Invoke(() => CallAtOnce(first, SecondHost), () => CallAtOnce(second, FirstHost));
            FakeEnd.Eventually(() => !ours.Links.IsEmpty && !theirs.Links.IsEmpty, "both have a link");
            Thread.Sleep(20); // a second one would be there by now
            Assert.That((ours.Links.Count, theirs.Links.Count, ours.Losses.Count), Is.EqualTo((1, 1, 0)), $"round {round}");

            void CallAtOnce(TcpFabric fabric, string host)
            {
                together.SignalAndWait();
                fabric.LinkTo(Options(host, false).Host, Port);
            }
        }
    }

    [Test]
    public void ALostLinkClosesTheDoorbells()
    {
        TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first);
        using TcpFabric second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd sender, FakeEnd reader) = Join(one, other, 1);
        first.Dispose();
        FakeEnd.Eventually(() => sender.IsBellClosed && reader.IsBellClosed, "both ends learn that the fabric is gone");
        Assert.That(_second.Losses, Is.EqualTo(new[] { "connection lost" }));
        sender.Dispose();
        reader.Dispose();
    }

    [Test]
    public void AShimThatWritesNonsenseLosesItsStreamAlone()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd honest, FakeEnd honestReader) = Join(one, other, 1);
        (FakeEnd liar, FakeEnd liarReader) = Join(one, other, 2);
        liarReader.AnnounceReady();
        liar.Switch(0);
        liar.Out->Tail = FakeEnd.Capacity + 1;
        liar.Knock();
        FakeEnd.Eventually(() => liar.IsBellClosed && liarReader.IsBellClosed, "the liar's stream ends");
        honestReader.AnnounceReady();
        honest.Switch(0);
        honest.Write("still here"u8);
        FakeEnd.Eventually(() => honestReader.In->Tail == 10, "the other stream works");
        foreach (FakeEnd end in (FakeEnd[])[honest, honestReader, liar, liarReader]) end.Dispose();
    }

    /// <summary>
    /// A program that reads, and then takes it back: its own router has told the other one that there is room, and what that one's honest program sends for it must not look like a router that lies.
    /// </summary>
    [Test]
    public void AReaderThatTakesBackWhatItHasReadLosesItsStreamAlone([Values(0ul, 1ul, FakeEnd.Capacity / 2)] ulong back)
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd honest, FakeEnd honestReader) = Join(one, other, 1);
        (FakeEnd sender, FakeEnd liar) = Join(one, other, 2);
        liar.AnnounceReady();
        sender.Switch(0);
        byte[] much = new byte[FakeEnd.Capacity];
        Assert.That(sender.Write(much), Is.EqualTo(much.Length));
        FakeEnd.Eventually(() => liar.In->Tail == FakeEnd.Capacity, "a ring full arrives");
        liar.In->Head = FakeEnd.Capacity;
        liar.Knock();
        FakeEnd.Eventually(() => sender.Out->Head == FakeEnd.Capacity, "the sender has room again");
        liar.In->Head = back;
        Assert.That(sender.Write(much), Is.EqualTo(much.Length));
        FakeEnd.Eventually(() => liar.IsBellClosed && sender.IsBellClosed, "the liar's stream ends");
        Assert.That((_first.Losses.Count, _second.Losses.Count), Is.EqualTo((0, 0)), string.Join(", ", [.. _first.Losses, .. _second.Losses]));
        honestReader.AnnounceReady();
        honest.Switch(0);
        honest.Write("still here"u8);
        FakeEnd.Eventually(() => honestReader.In->Tail == 10, "the other stream works");
        foreach (FakeEnd end in (FakeEnd[])[honest, honestReader, sender, liar]) end.Dispose();
    }

    /// <summary>Ends that write whatever they like into every word that is theirs or their router's, and honest ones on the same link: no word of a program's ends more than its own stream.</summary>
    [Test]
    public void WordsOfHostileProgramsEndTheirOwnStreamsAlone([Values(1, 2, 3, 4)] int seed)
    {
        const int rounds = 30, steps = 300, words = 12;
        Random random = new(seed);
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd honest, FakeEnd honestReader) = Join(one, other, 1);
        honestReader.AnnounceReady();
        honest.Switch(0);
        byte[] piece = new byte[1000], much = new byte[FakeEnd.Capacity];
        ulong sent = 0;
        for (uint round = 0; round < rounds; round++)
        {
            (FakeEnd sender, FakeEnd reader) = Join(one, other, 2 + round);
            if (random.Next(5) != 0) { reader.AnnounceReady(); sender.Switch(0); }
            // A few kinds of words, so that all others stay what they are long enough for something to happen.
            int[] spoilt = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(words))];
            int pauses = random.Next(2, 30);
            for (int i = 0; i < steps; i++)
            {
                FakeEnd end = random.Next(2) == 0 ? sender : reader;
                if (random.Next(pauses) == 0) reader.In->Head = reader.In->Tail;
                else if (random.Next(2) == 0) sender.Write(much.AsSpan(0, random.Next(much.Length)));
                else Spoil(random, end, spoilt[random.Next(spoilt.Length)]);
                if (random.Next(3) == 0) end.Knock();
                if (random.Next(20) == 0) Thread.Sleep(0);
                if (random.Next(60) == 0) Thread.Sleep(1);
            }
            sent += (ulong)honest.Write(piece);
            FakeEnd.Eventually(() => honestReader.In->Tail == sent, $"the honest stream goes on in round {round}: {string.Join(", ", [.. _first.Losses, .. _second.Losses])}");
            honestReader.Read(piece);
            sender.Dispose();
            reader.Dispose();
        }
        Assert.That((_first.Losses.Count, _second.Losses.Count), Is.EqualTo((0, 0)), string.Join(", ", [.. _first.Losses, .. _second.Losses]));
        FakeEnd.Eventually(() => one.Streams == 1 && other.Streams == 1, "what the hostile ones had is gone");
        honest.Dispose();
        honestReader.Dispose();
    }

    /// <summary>One word of a ring's headers gets a value that is small, near another word's, near a limit, or anything.</summary>
    private static void Spoil(Random random, FakeEnd end, int word)
    {
        RingBlockHeader* block = random.Next(2) == 0 ? end.Out : end.In;
        ulong value = random.Next(6) switch
        {
            0 => (ulong)random.Next(5),
            1 => block->Tail + (ulong)random.Next(-3, 4),
            2 => block->Head + (ulong)random.Next(-3, 4),
            3 => FakeEnd.Capacity + (ulong)random.Next(-2, 3),
            4 => ulong.MaxValue - (ulong)random.Next(3),
            _ => (ulong)random.NextInt64(),
        };
        switch (word)
        {
            case 0: block->Tail = value; break;
            case 1: block->Head = value; break;
            case 2: block->Base = value; break;
            case 3: block->Handover = (uint)random.Next(6); break;
            case 4: block->SwitchAt = value; break;
            case 5: block->ReaderWantsKernel = (uint)random.Next(5); break;
            case 6: block->WriterClosed = (uint)random.Next(3); break;
            case 7: block->ReaderClosed = (uint)random.Next(4); break;
            case 8: block->ReaderWaiting = (uint)value; break;
            case 9: block->WriterWaiting = (uint)value; break;
            case 10: block->Returner = (uint)random.Next(6); break;
            default: block->Capacity = value; break;
        }
    }

    [Test]
    public void CertificatesThatDoNotFitAreTurnedAway()
    {
        using Certificates strangers = new();
        using TcpFabric honest = TestRouter.Start(_certificates.Options(FirstHost, Port), _first);
        // Signed by another authority; naming another host; and calling a host that is another one.
        using TcpFabric uninvited = TestRouter.Start(strangers.Options(SecondHost, Port, trusting: _certificates), _second);
        Assert.That(uninvited.LinkTo(_certificates.Options(FirstHost, Port).Host, Port), Is.Null);
        FabricOptions liar = _certificates.Options("127.0.5.3", Port, named: "127.0.5.9");
        Assert.That(() => new TcpFabric(liar, new Log(false)), Throws.TypeOf<RouterException>().With.Message.Contains("does not name 127.0.5.3"));
        using TcpFabric impostor = TestRouter.Start(_certificates.Options("127.0.5.4", Port), new RecordedEvents());
        RecordedEvents misled = new();
        using TcpFabric caller = TestRouter.Start(_certificates.Options("127.0.5.5", Port), misled);
        Assert.That(caller.LinkTo(InternetAddress.FromIPv4([127, 0, 5, 1]), Port), Is.Null);
        Assert.That(misled.Link.Host.ToString(), Is.EqualTo(FirstHost), "one with the right certificate is let in");
        // The one that is called knows a little later than the caller.
        FakeEnd.Eventually(() => !_first.Links.IsEmpty, "both know of the link");
        Assert.That(_first.Links.Select(link => link.Host.ToString()), Is.EqualTo(new[] { "127.0.5.5" }));
        Assert.That(_second.Links, Is.Empty);
    }

    /// <summary>First this router trusts a new authority besides the old one, then it shows a certificate of that one: links that are made afterwards go by it, the one that there is stays.</summary>
    [Test]
    public void CertificatesThatAreRenewedHoldForNewLinks()
    {
        using Certificates successors = new();
        FabricOptions options = _certificates.Options(FirstHost, Port), renewed = successors.Options(FirstHost, Port);
        using TcpFabric first = TestRouter.Start(options, _first), old = TestRouter.Start(_certificates.Options(SecondHost, Port), _second);
        (IFabricLink link, _) = Connect(first);
        RecordedEvents events = new();
        using TcpFabric fresh = TestRouter.Start(successors.Options("127.0.5.3", Port), events);
        Assert.That(fresh.LinkTo(options.Host, Port), Is.Null);
        string authority = File.ReadAllText(options.AuthorityPath!);
        File.WriteAllText(options.AuthorityPath!, authority + "\n" + File.ReadAllText(renewed.AuthorityPath!));
        File.Copy(renewed.CertificatePath!, options.CertificatePath!, overwrite: true);
        // Half of it: the key does not fit yet.
        Assert.That(first.ReadCertificates, Throws.TypeOf<RouterException>().With.Message.StartsWith("the fabric's certificates cannot be read"));
        Assert.That(events.Links, Is.Empty);
        File.Copy(renewed.KeyPath!, options.KeyPath!, overwrite: true);
        first.ReadCertificates();
        Assert.That(events.Link.Host.ToString(), Is.EqualTo(FirstHost), "one that trusts the new authority alone gets a link");
        Assert.That((link.IsUp, _first.Losses.Count), Is.EqualTo((true, 0)));
    }

    [TestCase("00000000" + "0200" + "0100" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000", "malformed frame", TestName = "Reserved bits")]
    [TestCase("00000000" + "2100" + "0000" + "09000000" + "00000000" + "0000000000000000" + "0000000000000000", "for stream 9, which there is not", TestName = "A stream that is none")]
    [TestCase("05000000" + "2000" + "0000" + "01000000" + "00000000" + "0000000000000000" + "0000000000000000" + "6162636465", "which is not their place", TestName = "Bytes before the switch")]
    [TestCase("00000000" + "2100" + "0000" + "01000000" + "00000000" + "0000000000000000" + "0100000000000000", "impossible", TestName = "Credit for what was never sent")]
    [TestCase("00000000" + "2600" + "0000" + "01000000" + "00000000" + "0500000000000000" + "0000000000000000", "impossible", TestName = "An end where the bytes do not end")]
    [TestCase("00000000" + "0100" + "0000" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000", "malformed frame", TestName = "Hello again")]
    public void AFrameThatNoHonestRouterSendsEndsItsLinkAlone(string hex, string why)
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first), second = TestRouter.Start(Options(SecondHost, false), _second);
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd sender, FakeEnd reader) = Join(one, other, 1);
        using Socket stranger = TestRouter.Call("127.0.5.7", FirstHost, Port);
        FakeEnd.Eventually(() => _first.Links.Count == 2, "the router that misbehaves is let in first");
        using FakeEnd victim = new(Mark, Mark);
        Assert.That(_first.Links.Last().Carry(new FabricStream(1, 1, victim.Router, speaksFirst: true, "victim")), Is.True);
        stranger.Send(Convert.FromHexString(hex));
        FakeEnd.Eventually(() => !_first.Losses.IsEmpty, "its link ends");
        Assert.That(_first.Losses.Single(), Does.Contain(why));
        Assert.That(victim.IsBellClosed, Is.True);
        reader.AnnounceReady();
        sender.Switch(0);
        sender.Write("untouched"u8);
        FakeEnd.Eventually(() => reader.In->Tail == 9, "other links' streams work");
        sender.Dispose();
        reader.Dispose();
    }

    [Test]
    public void AReplayedFrameEndsTheLink()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first);
        using Socket stranger = TestRouter.Call("127.0.5.7", FirstHost, Port);
        using FakeEnd victim = new(Mark, Mark);
        Assert.That(_first.Link.Carry(new FabricStream(1, 1, victim.Router, speaksFirst: true, "victim")), Is.True);
        victim.AnnounceReady();
        byte[] data = TestRouter.Frame(new FrameHeader { Type = FrameType.Data, Stream = 1, Length = 5 }, "bytes"u8);
        stranger.Send(TestRouter.Frame(new FrameHeader { Type = FrameType.Switch, Stream = 1 }));
        stranger.Send(data);
        FakeEnd.Eventually(() => victim.In->Tail == 5, "the first one is taken");
        stranger.Send(data);
        FakeEnd.Eventually(() => !_first.Losses.IsEmpty, "the second one is not");
        Assert.That(victim.In->Tail, Is.EqualTo(5));
    }

    [Test]
    public void ARouterThatNeverReadsIsGivenUp()
    {
        using TcpFabric first = TestRouter.Start(Options(FirstHost, false), _first);
        using Socket stranger = TestRouter.Call("127.0.5.7", FirstHost, Port);
        FakeEnd.Eventually(() => !_first.Losses.IsEmpty, "silence ends the link");
        Assert.That(_first.Losses.Single(), Is.EqualTo("connection lost"));
    }

    private static int Port => 4799;

    private FabricOptions Options(string host, bool secure) =>
        secure ? _certificates.Options(host, Port) : new FabricOptions { Host = TestRouter.Address(host), Port = Port, Insecure = true };

    private (IFabricLink One, IFabricLink Other) Connect(TcpFabric first)
    {
        first.LinkTo(TestRouter.Address(SecondHost), Port);
        return (_first.Link, _second.Link);
    }

    private static (FakeEnd Sender, FakeEnd Reader) Join(IFabricLink one, IFabricLink other, uint number)
    {
        FakeEnd sender = new(Mark, Mark), reader = new(Mark, Mark);
        Assert.That(other.Carry(new FabricStream(number, number, reader.Router, speaksFirst: false, $"reader {number}")), Is.True);
        Assert.That(one.Carry(new FabricStream(number, number, sender.Router, speaksFirst: true, $"sender {number}")), Is.True);
        return (sender, reader);
    }

    /// <summary>One stream, whose sender has switched from its first byte on.</summary>
    private (FakeEnd Sender, FakeEnd Reader) JoinInRing(TcpFabric first)
    {
        (IFabricLink one, IFabricLink other) = Connect(first);
        (FakeEnd sender, FakeEnd reader) = Join(one, other, 1);
        reader.AnnounceReady();
        sender.Switch(0);
        return (sender, reader);
    }
}
