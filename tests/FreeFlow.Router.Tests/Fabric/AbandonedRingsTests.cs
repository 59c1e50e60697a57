using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>A router finds the rings of one before it in the memory of a program, which is the test itself, and sends what lies in them.</summary>
public sealed unsafe class AbandonedRingsTests
{
    private static readonly byte[] Mark = "0123456789abcdef"u8.ToArray();

    private FakeEnd _end = null!;
    private Socket _program = null!, _peer = null!;

    [SetUp]
    public void SetUp()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _program = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _program.Connect(listener.LocalEndPoint!);
        _peer = listener.Accept();
        _peer.ReceiveTimeout = 10_000;
        _end = new FakeEnd(Mark, new byte[RingLayout.ReturnMarkBytes], SocketName.Of((int)_program.Handle));
        _end.Out->Handover = (uint)HandoverState.Ring;
        _end.Out->ReaderWaiting = 0;
        _end.Write("bytes"u8);
    }

    [TearDown]
    public void TearDown()
    {
        _end.Dispose();
        _program.Dispose();
        _peer.Dispose();
    }

    [Test]
    public void WhatADeadRouterHasLeftGoesByTheKernel()
    {
        _end.Router.Dispose();
        Assert.That(TakenUp(), Is.EqualTo(1));
        byte[] got = new byte[37];
        for (int have = 0; have < got.Length;) have += _peer.Receive(got.AsSpan(have));
        Assert.That(got.AsSpan(0, 16).SequenceEqual(Mark), Is.True);
        Assert.That(got.AsSpan(32).SequenceEqual("bytes"u8), Is.True);
        FakeEnd.Eventually(() => _end.Out->Returner == (uint)ReturnerState.Paused, "the program may go on");
        _end.Out->Returner = (uint)ReturnerState.Done;
    }

    [Test]
    public void ALiveRoutersRingIsLeftAlone()
    {
        Assert.That(TakenUp(), Is.Zero);
        Assert.That((_end.OutState, _end.Out->ReaderWaiting), Is.EqualTo((HandoverState.Ring, 0u)));
        _end.Router.Dispose();
    }

    [TestCase("another socket")]
    [TestCase("another doorbell")]
    [TestCase("nobody reads")]
    public void WhatIsNotCertainIsLeftAlone(string what)
    {
        _end.Router.Dispose();
        if (what == "another socket") _end.Out->SocketCookie++;
        if (what == "another doorbell") _end.Out->DoorbellCookie++;
        if (what == "nobody reads") _end.Out->ReaderClosed = RingBlockHeader.ReaderGone;
        Assert.That(TakenUp(), Is.Zero);
        Assert.That(_end.OutState, Is.EqualTo(HandoverState.Ring));
    }

    [Test]
    public void WhoSendsLaterRingsADoorbellThatIsClosed()
    {
        _end.Out->Head = _end.Out->Tail;
        _end.Router.Dispose();
        Assert.That(TakenUp(), Is.Zero);
        Assert.That(_end.Out->ReaderWaiting, Is.EqualTo(1));
    }

    [TestCase("as it is", true)]
    [TestCase("not sealed", false)]
    [TestCase("a page short", false)]
    [TestCase("another layout", false)]
    [TestCase("an impossible capacity", false)]
    [TestCase("not mirrored", false)]
    public void OnlyARingIsMapped(string what, bool mapped)
    {
        _end.Router.Dispose();
        RingBlockHeader header = new() { Magic = RingLayout.Magic, Version = RingLayout.Version, Capacity = FakeEnd.Capacity };
        if (what != "not mirrored") header.ReturnMark[15] = 1;
        if (what == "another layout") header.Version++;
        if (what == "an impossible capacity") header.Capacity++;
        int memory = Libc.memfd_create("freeflow-test", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        _ = Libc.ftruncate(memory, (long)RingLayout.TotalBytes(FakeEnd.Capacity) - (what == "a page short" ? RingLayout.PageBytes : 0));
        _ = Libc.pwrite(memory, &header, (nuint)sizeof(RingBlockHeader), 0);
        if (what != "not sealed") _ = Libc.fcntl(memory, Libc.F_ADD_SEALS, SealedMemory.SizeSeals);
        MirroredRing? ring = MirroredRing.TryTakeUp(memory);
        Libc.close(memory);
        ring?.Release();
        Assert.That(ring is not null, Is.EqualTo(mapped));
    }

    private static int TakenUp()
    {
        HashSet<ulong> taken = [];
        AbandonedRings.TakeUpOf(Environment.ProcessId, taken);
        return taken.Count;
    }
}
