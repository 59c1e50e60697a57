using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>A router finds the rings of one before it by its journal in the memory of a program, which is the test itself, and sends what lies in them.</summary>
public sealed unsafe class AbandonedRingsTests
{
    private static readonly byte[] Mark = "0123456789abcdef"u8.ToArray();

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"freeflow-journal-{Environment.ProcessId}");
    private FakeEnd _end = null!;
    private RingJournal _journal = null!;
    private JournaledRing _known;
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
        _end = new FakeEnd(Mark, new byte[RingLayout.ReturnMarkBytes]);
        _known = new JournaledRing
        {
            IsUsed = 1, Process = Environment.ProcessId, Number = (int)_program.Handle, MemoryDevice = _end.Memory.Device, MemoryInode = _end.Memory.Inode,
            Socket = SocketName.Of((int)_program.Handle), Doorbell = _end.Doorbell,
        };
        _journal = RingJournal.TryOpen(_folder, new Log(verbose: false))!;
        _end.Out->Handover = (uint)HandoverState.Ring;
        _end.Out->ReaderWaiting = 0;
        _end.Write("bytes"u8);
    }

    [TearDown]
    public void TearDown()
    {
        _end.Dispose();
        _journal.Dispose();
        Directory.Delete(_folder, recursive: true);
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
        Assert.That(Left(), Is.EqualTo(1), "what is not done yet is written down for a router after this one");
        _end.Out->Returner = (uint)ReturnerState.Done;
        FakeEnd.Eventually(() => Left() == 0, "and not for ever");
    }

    [Test]
    public void AReturnThatWasBegunIsGoneOnWith()
    {
        (_end.Out->BackAt, _end.Out->ReturnEnd, _end.Out->ReturnSent) = (0, 5, 32);
        _end.Out->Head = 5;
        _end.Out->Handover = (uint)HandoverState.Back;
        _end.Out->WriterLeft = (uint)LeavingState.ShutDown;
        _end.Out->Returner = (uint)ReturnerState.Paused;
        _end.Router.Dispose();
        Assert.That(TakenUp(), Is.EqualTo(1));
        byte[] got = new byte[6];
        Assert.That(_peer.Receive(got), Is.EqualTo(5));
        Assert.That(_peer.Receive(got), Is.Zero, "and then it ends");
    }

    [Test]
    public void ALiveRoutersRingIsLeftAlone()
    {
        Assert.That(TakenUp(), Is.Zero);
        Assert.That((_end.OutState, _end.Out->ReaderWaiting), Is.EqualTo((HandoverState.Ring, 0u)));
        _end.Router.Dispose();
    }

    [TestCase("another memory")]
    [TestCase("another device")]
    [TestCase("another doorbell")]
    [TestCase("nobody reads")]
    public void WhatIsNotCertainIsLeftAlone(string what)
    {
        _end.Router.Dispose();
        if (what == "another memory") _known.MemoryInode++;
        if (what == "another device") _known.MemoryDevice++;
        if (what == "another doorbell") _known.Doorbell = _known.Doorbell with { Cookie = _known.Doorbell.Cookie + 1 };
        if (what == "nobody reads") _end.Out->ReaderClosed = RingBlockHeader.ReaderGone;
        Assert.That(TakenUp(), Is.Zero);
        Assert.That((_end.OutState, Left()), Is.EqualTo((HandoverState.Ring, 0)));
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

    /// <summary>As the router after this one does it.</summary>
    private int TakenUp()
    {
        _journal.Add(_known);
        _journal.Dispose();
        _journal = RingJournal.TryOpen(_folder, new Log(verbose: false))!;
        return AbandonedRings.TakeUp(Environment.ProcessId, _journal.Left);
    }

    /// <summary>Places that are used.</summary>
    private int Left()
    {
        byte* bytes = stackalloc byte[1 << 12];
        int file = Libc.open(Path.Combine(_folder, "rings"), Libc.O_RDONLY), used = 0;
        Assert.That(Libc.pread(file, bytes, 1 << 12, 64), Is.EqualTo((nint)(1 << 12)));
        Libc.close(file);
        for (int at = 0; at < 1 << 12; at += 64) used += bytes[at];
        return used;
    }
}
