using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>What streams get of what they compete for.</summary>
[NonParallelizable]
public sealed unsafe class ShareTests
{
    private const long Capacity = 16_000_000, Promised = 12_000_000;

    private static readonly byte[] Mark = new byte[RingLayout.ReturnMarkBytes];

    /// <summary>Both want more than there is. Shares are compared, no times: a busy machine slows both.</summary>
    [TestCase(false, TestName = "Without a promise two streams share a capacity alike")]
    [TestCase(true, TestName = "A stream with a promise gets more than the other one")]
    public void SharesOfACapacity(bool promised)
    {
        RecordedEvents firstEvents = new(), secondEvents = new();
        using TcpFabric first = Start("127.0.6.1", firstEvents), second = Start("127.0.6.2", secondEvents);
        first.LinkTo(TestRouter.Address("127.0.6.2"), FabricOptions.DefaultPort);
        RateLimit capacity = new(Capacity);
        using Pair one = new(firstEvents.Link, secondEvents.Link, 1, new SendRate(null, promised ? new Guarantee(Promised) : null, capacity));
        using Pair other = new(firstEvents.Link, secondEvents.Link, 2, new SendRate(null, null, capacity));
        long start = MoveUntilBothHaveEnough(one, other);
        double share = (double)one.Read / other.Read;
        if (promised) Assert.That(share, Is.GreaterThan(2));
        else Assert.That(share, Is.InRange(0.5, 2));
        AssertCapacityIsKept(one, other, start);
    }

    /// <summary>
    /// As above, to two hosts: a link has a thread of its own, and the capacity is the host's. Each link for itself would send twice as much; how their threads share it
    /// from moment to moment is nobody's promise.
    /// </summary>
    [Test]
    public void LinksToTwoHostsShareOneCapacity()
    {
        RecordedEvents firstEvents = new(), secondEvents = new(), thirdEvents = new();
        using TcpFabric first = Start("127.0.6.3", firstEvents), second = Start("127.0.6.4", secondEvents), third = Start("127.0.6.5", thirdEvents);
        first.LinkTo(TestRouter.Address("127.0.6.4"), FabricOptions.DefaultPort);
        first.LinkTo(TestRouter.Address("127.0.6.5"), FabricOptions.DefaultPort);
        IFabricLink? toSecond = null, toThird = null;
        FakeEnd.Eventually(() => (toSecond = first.Find(TestRouter.Address("127.0.6.4"))) is not null && (toThird = first.Find(TestRouter.Address("127.0.6.5"))) is not null, "both can be reached");
        RateLimit capacity = new(Capacity);
        using Pair one = new(toSecond!, secondEvents.Link, 1, new SendRate(null, null, capacity));
        using Pair other = new(toThird!, thirdEvents.Link, 1, new SendRate(null, null, capacity));
        AssertCapacityIsKept(one, other, MoveUntilBothHaveEnough(one, other));
    }

    /// <summary>Returns when it began, by Environment.TickCount64.</summary>
    private static long MoveUntilBothHaveEnough(Pair one, Pair other)
    {
        const long enough = 300_000;
        long start = Environment.TickCount64;
        FakeEnd.Eventually(
            () =>
            {
                one.Move();
                other.Move();
                return one.Read >= enough && other.Read >= enough;
            },
            "both get something");
        TestContext.Out.WriteLine($"{one.Read} and {other.Read} bytes, {(one.Read + other.Read) * 8 / (Environment.TickCount64 - start + 1)} kbit/s");
        return start;
    }

    /// <summary>One way only: a bucket that is used on credit is filled again before anybody else gets any.</summary>
    private static void AssertCapacityIsKept(Pair one, Pair other, long start) =>
        Assert.That((one.Read + other.Read) * 8 / 1000, Is.LessThan(Capacity / 1000 * (Environment.TickCount64 - start + 100) / 1000));

    /// <summary>All of them have a turn's worth of bytes from the beginning on.</summary>
    [Test]
    public void WhatIsOwedGoesBeforeEverybodysTurn()
    {
        const uint ordinary = 6;
        RecordingChannel channel = new();
        LinkSender sender = new(new FrameWriter(channel), new ConcurrentDictionary<uint, FabricStream>(), FrameHeader.MaximumDataBytes);
        FakeEnd[] ends = [.. Enumerable.Range(0, (int)ordinary + 1).Select(_ => new FakeEnd(Mark, Mark))];
        foreach ((int index, FakeEnd end) in ends.Index())
        {
            Volatile.Write(ref end.Out->Handover, (uint)HandoverState.Ring);
            end.Write(new byte[50_000]);
            SendRate? rate = index == ordinary ? new SendRate(null, new Guarantee(Promised), null) : null;
            Assert.That(sender.Add(new FabricStream((uint)index + 1, (uint)index + 1, end.Router, speaksFirst: true, $"{index}") { Limit = rate }), Is.True);
        }
        // Something is owed a moment after it was promised.
        Thread.Sleep(5);
        Thread thread = new(sender.Run);
        thread.Start();
        FakeEnd.Eventually(() => channel.DataStreams.Count == ends.Length, "all have had a turn");
        sender.Stop();
        thread.Join();
        sender.DisposeStreams();
        foreach (FakeEnd end in ends) end.Dispose();
        Assert.That(channel.DataStreams, Is.EqualTo(new uint[] { 7, 1, 2, 3, 4, 5, 6 }));
    }

    private static TcpFabric Start(string host, RecordedEvents events) =>
        TestRouter.Start(new FabricOptions { Host = TestRouter.Address(host), Port = FabricOptions.DefaultPort, Insecure = true }, events);

    /// <summary>A stream whose sender always has more, and whose reader takes all there is.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly FakeEnd _sender = new(Mark, Mark), _reader = new(Mark, Mark);
        private readonly byte[] _some = new byte[16384];

        public Pair(IFabricLink here, IFabricLink there, uint number, SendRate rate)
        {
            Assert.That(there.Carry(new FabricStream(number, number, _reader.Router, speaksFirst: false, "reader")), Is.True);
            Assert.That(here.Carry(new FabricStream(number, number, _sender.Router, speaksFirst: true, "sender") { Limit = rate }), Is.True);
            _reader.AnnounceReady();
            _sender.Switch(0);
            FakeEnd.Eventually(() => _reader.InState == HandoverState.Ring, "the reader learns of the switch");
        }

        public long Read { get; private set; }

        public void Move()
        {
            while (_sender.Write(_some) == _some.Length) { }
            Read += _reader.Read(_some);
        }

        public void Dispose()
        {
            _sender.Dispose();
            _reader.Dispose();
        }
    }

    /// <summary>Takes everything, and notes whose bytes came when.</summary>
    private sealed class RecordingChannel : IByteChannel
    {
        private readonly ConcurrentQueue<uint> _dataStreams = new();
        private readonly List<byte> _bytes = [];

        public IReadOnlyCollection<uint> DataStreams => _dataStreams;

        public bool HasKept => false;

        public bool HasInput => false;

        public bool Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, bool mayWait)
        {
            _bytes.AddRange(first);
            _bytes.AddRange(second);
            _bytes.AddRange(third);
            while (_bytes.Count >= FrameHeader.Bytes)
            {
                FrameHeader header = MemoryMarshal.Read<FrameHeader>(CollectionsMarshal.AsSpan(_bytes));
                if (_bytes.Count < FrameHeader.Bytes + header.Length) return true;
                if (header.Type == FrameType.Data) _dataStreams.Enqueue(header.Stream);
                _bytes.RemoveRange(0, FrameHeader.Bytes + (int)header.Length);
            }
            return true;
        }

        public int Receive(Span<byte> first, Span<byte> second, Span<byte> third) => 0;

        public void Abort() { }

        public void Dispose() { }
    }
}
