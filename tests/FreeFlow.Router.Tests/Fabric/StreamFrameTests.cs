using System;
using System.IO;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>Which words of a ring become which frames, byte for byte, and back: the test is the shim on one side of a router, and the other router.</summary>
[NonParallelizable]
public sealed unsafe class StreamFrameTests
{
    private const string Host = "127.0.6.1", Other = "127.0.6.7";
    private const int Port = 4798;

    /// <summary>Stream 5 at the test, 9 at the router; no position, no credit.</summary>
    private const string ToUs = "0000" + "05000000" + "00000000", Nothing = "0000000000000000", One = "0100000000000000";

    private static readonly byte[] Mark = new byte[RingLayout.ReturnMarkBytes];

    private RecordedEvents _events = null!;
    private TcpFabric _fabric = null!;
    private Socket _other = null!;
    private FakeEnd _end = null!;

    [SetUp]
    public void SetUp()
    {
        _events = new RecordedEvents();
        _fabric = TestRouter.Start(new FabricOptions { Host = TestRouter.Address(Host), Port = Port, Insecure = true }, _events);
        _other = TestRouter.Call(Other, Host, Port);
        _ = _events.Link;
        _end = new FakeEnd(Mark, Mark);
    }

    [TearDown]
    public void TearDown()
    {
        _end.Dispose();
        _other.Dispose();
        _fabric.Dispose();
    }

    [Test]
    public void ARequestIsWithdrawnOnlyByTheOtherRoutersAnswer()
    {
        Carry();
        _end.AnnounceReady();
        Assert.That(Hear(), Is.EqualTo("00000000" + "2200" + ToUs + Nothing + Nothing), "Ready");
        Say(new FrameHeader { Type = FrameType.Switch, Stream = 9 });
        foreach ((ulong answer, RecallState outcome) in new[] { (1ul, RecallState.None), (0ul, RecallState.TakenUp) })
        {
            Ask(RecallState.Asked);
            Assert.That(Hear(), Is.EqualTo("00000000" + "2400" + ToUs + Nothing + Nothing), "the request");
            Ask(RecallState.Withdrawn);
            Assert.That(Hear(), Is.EqualTo("00000000" + "2400" + ToUs + One + Nothing), "taken back");
            Assert.That(_end.In->ReaderWantsKernel, Is.EqualTo((uint)RecallState.Withdrawn), "not before the answer");
            Say(new FrameHeader { Type = FrameType.RecallAnswer, Stream = 9, Position = answer });
            FakeEnd.Eventually(() => _end.In->ReaderWantsKernel == (uint)outcome, "the answer is told");
        }
        Say(new FrameHeader { Type = FrameType.RecallAnswer, Stream = 9, Position = 1 });
        FakeEnd.Eventually(() => !_events.Losses.IsEmpty, "an answer to nothing ends the link");
        Assert.That(_end.In->ReaderWantsKernel, Is.EqualTo((uint)RecallState.TakenUp));
    }

    [Test]
    public void ARequestThatNobodyHasHeardOfIsWithdrawnAtOnce()
    {
        _end.In->ReaderWantsKernel = (uint)RecallState.Withdrawn;
        Carry();
        FakeEnd.Eventually(() => _end.In->ReaderWantsKernel == (uint)RecallState.None, "it is gone");
        Ask(RecallState.Asked);
        Assert.That(Hear(), Is.EqualTo("00000000" + "2400" + ToUs + Nothing + Nothing), "and another one is told");
    }

    [Test]
    public void ASenderThatHasTakenItUpLetsNoRequestBeWithdrawn()
    {
        Carry();
        Say(new FrameHeader { Type = FrameType.Ready, Stream = 9 });
        _end.Switch(0);
        Assert.That(Hear(), Is.EqualTo("00000000" + "2300" + ToUs + Nothing + Nothing), "Switch");
        foreach ((bool takesUp, string answer) in new[] { (false, One), (true, Nothing) })
        {
            Say(new FrameHeader { Type = FrameType.Recall, Stream = 9 });
            FakeEnd.Eventually(() => _end.Out->ReaderWantsKernel == (uint)RecallState.Asked, "the sender is asked");
            if (takesUp) _end.Out->ReaderWantsKernel = (uint)RecallState.TakenUp;
            Say(new FrameHeader { Type = FrameType.Recall, Stream = 9, Position = 1 });
            Assert.That(Hear(), Is.EqualTo("00000000" + "2900" + ToUs + answer + Nothing));
            Assert.That(_end.Out->ReaderWantsKernel, Is.EqualTo((uint)(takesUp ? RecallState.TakenUp : RecallState.None)));
        }
    }

    [Test]
    public void ASenderThatHasLeftAlreadyLetsNoRequestBeWithdrawn()
    {
        Carry();
        Say(new FrameHeader { Type = FrameType.Ready, Stream = 9 });
        _end.Switch(0);
        Assert.That(Hear(), Does.StartWith("00000000" + "2300"));
        _end.Out->Handover = (uint)HandoverState.Back;
        Say(new FrameHeader { Type = FrameType.Recall, Stream = 9 });
        Say(new FrameHeader { Type = FrameType.Recall, Stream = 9, Position = 1 });
        Assert.That(Hear(), Is.EqualTo("00000000" + "2900" + ToUs + Nothing + Nothing), "its mark comes");
    }

    [TestCase(1u, Nothing, TestName = "A reader that is closed")]
    [TestCase(2u, One, TestName = "A reader that is shut down both ways")]
    public void TheEndOfAReaderIsTold(uint word, string position)
    {
        Carry();
        _end.In->ReaderClosed = word;
        _end.Knock();
        Assert.That(Hear(), Is.EqualTo("00000000" + "2700" + ToUs + position + Nothing));
        Say(new FrameHeader { Type = FrameType.ReaderClosed, Stream = 9, Position = word - 1 });
        FakeEnd.Eventually(() => _end.Out->ReaderClosed == word, "and heard");
    }

    private void Carry() =>
        Assert.That(_events.Link.Carry(new FabricStream(9, 5, _end.Router, speaksFirst: true, "end")), Is.True);

    private void Ask(RecallState word)
    {
        _end.In->ReaderWantsKernel = (uint)word;
        _end.Knock();
    }

    private void Say(FrameHeader header) => _other.Send(TestRouter.Frame(header));

    /// <summary>The next frame of the stream, but for Credit, as it is on the wire.</summary>
    private string Hear()
    {
        byte[] frame = new byte[FrameHeader.Bytes];
        while (true)
        {
            Read(frame);
            FrameHeader header = MemoryMarshal.Read<FrameHeader>(frame);
            if (header.Length > 0) Read(new byte[header.Length]);
            if (header.Stream != 0 && header.Type != FrameType.Credit) return Convert.ToHexString(frame);
        }
    }

    private void Read(byte[] target)
    {
        for (int done = 0; done < target.Length;)
        {
            int read = _other.Receive(target.AsSpan(done));
            if (read == 0) throw new EndOfStreamException("the router has ended the link");
            done += read;
        }
    }
}
