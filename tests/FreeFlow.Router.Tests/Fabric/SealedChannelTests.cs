using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using FreeFlow.Router.Fabric.Wire;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>Sealed channels over real connections, whatever the sizes of the pieces, and the bytes of others.</summary>
public sealed class SealedChannelTests
{
    private Socket _near = null!, _far = null!;

    [SetUp]
    public void SetUp()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _near.Connect(listener.LocalEndPoint!);
        _far = listener.Accept();
        _far.ReceiveTimeout = 10_000;
    }

    [TearDown]
    public void TearDown()
    {
        _near.Dispose();
        _far.Dispose();
    }

    [Test]
    public void BytesArriveWhateverThePiecesAre([Range(1, 6)] int seed)
    {
        using SealedChannel sender = Channel(_near), receiver = Channel(_far);
        Random random = new(seed);
        byte[] sent = new byte[8_000_000], got = new byte[sent.Length];
        random.NextBytes(sent);
        Thread sending = new(() =>
        {
            Random pieces = new(seed + 100);
            for (int at = 0; at < sent.Length;)
            {
                int[] ends = [.. Enumerable.Range(0, 3).Select(_ => Size(pieces))];
                ReadOnlySpan<byte> first = Cut(sent, ref at, ends[0]), second = Cut(sent, ref at, ends[1]), third = Cut(sent, ref at, ends[2]);
                Assert.That(sender.Send(first, second, third, mayWait: pieces.Next(4) > 0 || sender.HasKept), Is.True);
            }
            Assert.That(sender.Send(default, default, default, mayWait: true), Is.True, "what was kept");
        });
        sending.Start();
        for (int at = 0; at < got.Length;)
        {
            Span<byte> rest = got.AsSpan(at);
            Span<byte> first = rest[..Math.Min(rest.Length, Size(random))], second = rest.Slice(first.Length, Math.Min(rest.Length - first.Length, Size(random)));
            if (first.Length + second.Length == 0) continue;
            // As a ring that is full up to its end, its beginning, and a buffer for what is beyond.
            byte[] beyond = new byte[Size(random) + 1];
            int received = receiver.Receive(first, second, beyond);
            Assert.That(received, Is.GreaterThan(0), receiver.Problem);
            Assert.That(received, Is.LessThanOrEqualTo(first.Length + second.Length), "nothing is put beyond what was asked for first");
            at += received;
        }
        sending.Join();
        Assert.That(got.AsSpan().SequenceEqual(sent), Is.True);
        Assert.That((receiver.Problem, receiver.HasInput, sender.HasKept), Is.EqualTo(((string?)null, false, false)));
    }

    [Test]
    public void APartOfARecordIsNotInput()
    {
        using RecordKey key = new(new byte[RecordKey.SecretBytes], 10);
        using SealedChannel receiver = Channel(_far);
        byte[] record = new byte[5 + RecordKey.Overhead];
        key.Seal("hello"u8, record);
        Assert.That(receiver.HasInput, Is.False);
        _near.Send(record, record.Length - 1, SocketFlags.None);
        Assert.That(_far.Poll(10_000_000, SelectMode.SelectRead), Is.True);
        Assert.That((receiver.HasInput, receiver.HasInput), Is.EqualTo((false, false)), "the last byte is missing");
        _near.Send(record, record.Length - 1, 1, SocketFlags.None);
        FakeEnd.Eventually(() => receiver.HasInput, "it is whole");
        byte[] target = new byte[100];
        Assert.That(receiver.Receive(target, default, default), Is.EqualTo(5));
        _near.Shutdown(SocketShutdown.Send);
        FakeEnd.Eventually(() => receiver.HasInput, "the end is not waited for, either");
        Assert.That(receiver.Receive(target, default, default), Is.Zero);
    }

    [TestCase("00000000", "claims to have 0 bytes")]
    [TestCase("01000100", "claims to have 65537 bytes")]
    [TestCase("FFFFFFFF", "claims to have 4294967295 bytes")]
    [TestCase("02000000" + "4142" + "00000000000000000000000000000000", "has not sealed")]
    public void BytesThatAreNoRecordEndTheChannel(string hex, string why)
    {
        using SealedChannel receiver = Channel(_far);
        _near.Send(Convert.FromHexString(hex));
        byte[] target = new byte[100];
        Assert.That(receiver.Receive(target, default, default), Is.Zero);
        Assert.That(receiver.Problem, Does.Contain(why));
        Assert.That(target, Is.All.Zero);
        Assert.That(receiver.Receive(target, default, default), Is.Zero, "for good");
    }

    /// <summary>A length that somebody on the wire has made larger: what comes behind it, now and then, must not be taken for life for ever.</summary>
    [Test]
    public void ARecordThatDoesNotComeToItsEndEndsTheChannel()
    {
        using SealedChannel receiver = Channel(_far, mostMilliseconds: 200);
        _near.Send(Convert.FromHexString("00000100"));
        using Timer drips = new(_ => _near.Send([0]), null, 0, 20);
        Assert.That(receiver.Receive(new byte[100], default, default), Is.Zero);
        Assert.That(receiver.Problem, Is.EqualTo("a record did not come to its end within 200 ms"));
    }

    [Test]
    public void WhatCameBeforeAForgedRecordIsStillTaken()
    {
        using SealedChannel sender = Channel(_near), receiver = Channel(_far);
        sender.Send("honest"u8, default, default, mayWait: true);
        _near.Send(Convert.FromHexString("02000000" + "4142" + "00000000000000000000000000000000"));
        byte[] target = new byte[100];
        List<byte> got = [];
        while (receiver.Receive(target, default, default) is > 0 and int received) got.AddRange(target[..received]);
        Assert.That(got, Is.EqualTo("honest"u8.ToArray()));
        Assert.That(receiver.Problem, Does.Contain("has not sealed"));
    }

    private static SealedChannel Channel(Socket socket, int mostMilliseconds = 10_000) =>
        new(new PlainChannel(socket), new(new byte[RecordKey.SecretBytes], 10), new(new byte[RecordKey.SecretBytes], 10)) { MostMilliseconds = mostMilliseconds };

    private static int Size(Random random) => random.Next(5) switch { 0 => 0, 1 => random.Next(64), 2 => random.Next(5000), 3 => RecordKey.MostPayload + random.Next(-1, 2), _ => random.Next(300_000) };

    private static ReadOnlySpan<byte> Cut(byte[] all, ref int at, int length)
    {
        ReadOnlySpan<byte> piece = all.AsSpan(at, Math.Min(length, all.Length - at));
        at += piece.Length;
        return piece;
    }
}
