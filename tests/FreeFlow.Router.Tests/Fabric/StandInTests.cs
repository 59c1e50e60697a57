using System;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>What a router writes into the socket of a program that sleeps elsewhere, byte for byte, and when it leaves that to the shim, which the test plays.</summary>
public sealed unsafe class StandInTests
{
    private static readonly byte[] Mark = "0123456789abcdef"u8.ToArray();

    private const string MarkAsHex = "30313233343536373839616263646566";

    private FakeEnd _end = null!;
    private Socket _program = null!, _peer = null!;

    [SetUp]
    public void SetUp()
    {
        _end = new FakeEnd(Mark, new byte[RingLayout.ReturnMarkBytes]);
        // Small buffers, so that the kernel does not take everything at once.
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _program = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 4096 };
        _program.Connect(listener.LocalEndPoint!);
        _peer = listener.Accept();
        _peer.ReceiveTimeout = 10_000;
    }

    [TearDown]
    public void TearDown()
    {
        _end.Dispose();
        _end.Router.Dispose();
        _program.Dispose();
        _peer.Dispose();
    }

    [Test]
    public void WhatIsUnreadComesBehindTheMark()
    {
        Fill();
        Assert.That(StandIn(StandInCause.Lost), Is.False, "the program may write more");
        Assert.That(Received(46), Is.EqualTo(MarkAsHex + "0300000000000000" + "1100000000000000" + Convert.ToHexString("words, some read"u8[2..])));
        Assert.That((_end.OutState, (RecallState)_end.Out->ReaderWantsKernel, (ReturnerState)_end.Out->Returner), Is.EqualTo((HandoverState.Back, RecallState.TakenUp, ReturnerState.Paused)));
        Assert.That((_end.Out->BackAt, _end.Out->ReturnEnd, _end.Out->ReturnSent, _end.Out->ReaderWaiting), Is.EqualTo((3ul, 17ul, 46ul, 1u)));
        // And not again; nor once the shim has said that all is done.
        Assert.That(StandIn(StandInCause.Lost), Is.False);
        _end.Out->Returner = (uint)ReturnerState.Done;
        Assert.That(StandIn(StandInCause.Lost), Is.True);
        Assert.That(_peer.Available, Is.Zero);
    }

    [TestCase(RecallState.Asked, true)]
    [TestCase(RecallState.None, false)]
    [TestCase(RecallState.TakenUp, false)]
    public void ARequestIsAnsweredIfItStillStands(RecallState word, bool answered)
    {
        Fill();
        _end.Out->ReaderWantsKernel = (uint)word;
        Assert.That(StandIn(StandInCause.Asked), Is.EqualTo(!answered));
        Assert.That(_end.OutState, Is.EqualTo(answered ? HandoverState.Back : HandoverState.Ring));
        if (answered) Assert.That(Received(46), Does.StartWith(MarkAsHex));
        else Assert.That(_peer.Available, Is.Zero);
    }

    [Test]
    public void WhatAProgramDoesNotHearOfComesByTheKernelForGood()
    {
        Fill();
        Assert.That(StandIn(StandInCause.Unheard), Is.False, "the program may write more");
        Assert.That(Received(46), Does.StartWith(MarkAsHex));
        Assert.That((_end.OutState, (RecallState)_end.Out->ReaderWantsKernel, _end.Out->ReaderWaiting), Is.EqualTo((HandoverState.Back, RecallState.Unheard, 1u)));
    }

    [TestCase(HandoverState.Kernel)]
    [TestCase(HandoverState.Ready)]
    public void ARingThatAProgramDoesNotHearOfIsNotEntered(HandoverState state)
    {
        Fill();
        _end.Out->Handover = (uint)state;
        Assert.That(StandIn(StandInCause.Unheard), Is.True);
        Assert.That((_end.OutState, (RecallState)_end.Out->ReaderWantsKernel, _peer.Available), Is.EqualTo((state, RecallState.Unheard, 0)));
    }

    [Test]
    public void AShimThatHasBegunIsHelpedWhenItPauses()
    {
        Fill();
        _end.Out->Returner = (uint)ReturnerState.Writer;
        Assert.That(StandIn(StandInCause.Lost), Is.False, "it is at it");
        Assert.That(_end.OutState, Is.EqualTo(HandoverState.Ring));
        (_end.Out->BackAt, _end.Out->ReturnEnd, _end.Out->ReturnSent) = (5, 17, 40);
        _end.Out->Handover = (uint)HandoverState.Back;
        _end.Out->WriterLeft = (uint)LeavingState.Left;
        _end.Out->Returner = (uint)ReturnerState.Paused;
        Assert.That(StandIn(StandInCause.Lost), Is.True);
        Assert.That(Received(4), Is.EqualTo(Convert.ToHexString("read"u8)), "what it has not sent yet");
        Assert.That(_end.Out->ReturnSent, Is.EqualTo(44));
    }

    [Test]
    public void NothingIsDoneWhereNobodyReadsOrNothingIsLeftOrTheSocketIsGone()
    {
        Fill();
        _end.Out->ReaderClosed = 1;
        Assert.That(StandIn(StandInCause.Lost), Is.True);
        _end.Out->ReaderClosed = 0;
        Assert.That(StandIn(StandInCause.Lost, () => -1), Is.True);
        _end.Out->Head = 17;
        Assert.That(StandIn(StandInCause.Lost), Is.True);
        Assert.That((_end.OutState, _end.Out->Returner, _peer.Available), Is.EqualTo((HandoverState.Ring, 0u, 0)));
    }

    [Test]
    public void WhatTheKernelDoesNotTakeNowItTakesLater()
    {
        Fill();
        byte[] much = new byte[60_000];
        Random.Shared.NextBytes(much);
        Assert.That(_end.Write(much), Is.EqualTo(much.Length));
        Assert.That(StandIn(StandInCause.Lost), Is.False, "there is more");
        byte[] got = Read(46);
        Assert.That(Convert.ToHexString(got.AsSpan(0, 32)), Is.EqualTo(MarkAsHex + "0300000000000000" + Convert.ToHexString(BitConverter.GetBytes(17ul + (ulong)much.Length))));
        bool done = false;
        byte[] rest = new byte[much.Length];
        for (int have = 0; have < rest.Length;)
        {
            if (!done) done = StandIn(StandInCause.Lost);
            if (have > 1000) _end.Out->WriterLeft = (uint)LeavingState.Left;
            have += _peer.Receive(rest.AsSpan(have));
        }
        Assert.That(rest.AsSpan().SequenceEqual(much), Is.True);
    }

    [Test]
    public void WhatAProgramPublishedLastIsItsOwnUntilItHasLeft()
    {
        Fill();
        Assert.That(StandIn(StandInCause.Lost), Is.False);
        _ = Received(46);
        _end.Write(" and more"u8);
        Assert.That(StandIn(StandInCause.Lost), Is.False);
        Assert.That(_peer.Available, Is.Zero);
        _end.Out->WriterLeft = (uint)LeavingState.Left;
        Assert.That(StandIn(StandInCause.Lost), Is.True);
        Assert.That(Received(9), Is.EqualTo(Convert.ToHexString(" and more"u8)), "behind the end that the mark names, as the shim would send it");
        Assert.That(_end.Out->ReturnSent, Is.EqualTo(55));
    }

    [TestCase(LeavingState.Left, false)]
    [TestCase(LeavingState.ShutDown, true)]
    public void TheStreamEndsBehindTheLastByteIfTheProgramHasShutItDown(LeavingState left, bool ends)
    {
        Fill();
        (_end.Out->BackAt, _end.Out->ReturnEnd) = (3, 17);
        _end.Out->Handover = (uint)HandoverState.Back;
        _end.Out->WriterLeft = (uint)left;
        _end.Out->Returner = (uint)ReturnerState.Paused;
        Assert.That(StandIn(StandInCause.Asked), Is.True);
        Assert.That(Received(46), Does.StartWith(MarkAsHex));
        Assert.That(_peer.Poll(ends ? 10_000_000 : 100_000, SelectMode.SelectRead), Is.EqualTo(ends));
        if (ends) Assert.That(_peer.Receive(new byte[1]), Is.Zero);
    }

    [Test]
    public void AProgramThatDoesNotGetToLeaveIsNotWaitedForForEver()
    {
        Fill();
        using StandIn standIn = new(_end.Router.Retain(), new SocketLoan(0, Borrow), StandInCause.Lost);
        int attempts = 1;
        while (attempts < 100 && !standIn.Try()) attempts++;
        Assert.That(attempts, Is.InRange(2, 99));
        Assert.That(Read(46), Has.Length.EqualTo(46));
    }

    [TestCase(3ul, 2ul, 17ul)]
    [TestCase(3ul, 18ul, 17ul)]
    [TestCase(17ul, 3ul, 17ul)]
    [TestCase(ulong.MaxValue - 9, 5ul, 5ul)]
    [TestCase(3ul, 17ul, 3 + FakeEnd.Capacity + 1)]
    public void PositionsThatCannotBeSendNothingAndEndNothing(ulong from, ulong end, ulong tail)
    {
        Fill();
        (_end.Out->BackAt, _end.Out->ReturnEnd, _end.Out->Tail) = (from, end, tail);
        _end.Out->Handover = (uint)HandoverState.Back;
        _end.Out->WriterLeft = (uint)LeavingState.ShutDown;
        _end.Out->Returner = (uint)ReturnerState.Paused;
        Assert.That(StandIn(StandInCause.Asked), Is.True);
        Assert.That(_peer.Poll(50_000, SelectMode.SelectRead), Is.False);
    }

    /// <summary>17 bytes in the ring, of which the reader has 3.</summary>
    private void Fill()
    {
        _end.Out->Handover = (uint)HandoverState.Ring;
        _end.Write(" words, some read"u8);
        _end.Out->Head = 3;
    }

    private bool StandIn(StandInCause cause, Func<int>? borrow = null)
    {
        using StandIn standIn = new(_end.Router.Retain(), new SocketLoan(0, borrow ?? Borrow), cause);
        return standIn.Try();
    }

    private int Borrow() => Libc.fcntl((int)_program.Handle, Libc.F_DUPFD_CLOEXEC, 0);

    private string Received(int bytes) => Convert.ToHexString(Read(bytes));

    private byte[] Read(int bytes)
    {
        byte[] all = new byte[bytes];
        for (int have = 0; have < bytes;) have += _peer.Receive(all.AsSpan(have));
        return all;
    }
}
