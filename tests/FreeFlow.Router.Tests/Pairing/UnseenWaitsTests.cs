using FreeFlow.Contract.Layout;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Pairing;

/// <summary>What is read of a thread's sleep, and when an end of a ring is worth a look. Whole programs: EnvironmentTests.</summary>
public sealed class UnseenWaitsTests
{
    [TestCase("running\n")]
    [TestCase("-1 0x7ffd2 0x7f00\n")]
    [TestCase("")]
    [TestCase("202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd2 0x7f00\n")]
    [TestCase("441 0x1\n")]
    public void WhatIsNoSleepOnASocketIsNone(string line) => Assert.That(SleepingCall.Parse(line), Is.Null);

    [Test]
    public void ASleepIsReadWithWhatItWaitsFor() =>
        Assert.That(SleepingCall.Parse("441 0x5 0x7ffe10 0x40 0x0 0x0 0x8 0x7ffe00 0x7f0012\n"), Is.EqualTo(new SleepingCall(SleepingCallKind.Epoll, 5, 0x7ffe10, 0x40, 0x7f0012)));

    [Test]
    public void AnEndIsIdleAsLongAsItDoesNotTakeWhatIsThere()
    {
        RingProgress reader = new(), writer = new();
        Assert.That(Look(reader, writer, sent: 10, received: 10), Is.Zero);
        Assert.That(Look(reader, writer, sent: 20, received: 10), Is.EqualTo(1));
        Assert.That(Look(reader, writer, sent: 30, received: 10), Is.EqualTo(2));
        Assert.That(Look(reader, writer, sent: 30, received: 11), Is.Zero, "it has taken something");
        Assert.That(Look(reader, writer, sent: 30, received: 11), Is.EqualTo(1));
        Assert.That(Look(reader, writer, sent: 5, received: 11), Is.Zero, "words that cannot be");
    }

    [Test]
    public void AWriterIsIdleWhenTheRingThatItFoundFullHasRoom()
    {
        RingProgress reader = new(), writer = new();
        writer.Note(new ConnectionRecord { SendTail = 4096, SendBlocked = 1 });
        reader.Note(new ConnectionRecord());
        writer.Compare(reader, 4096);
        Assert.That(writer.Idle, Is.Zero, "it is full");
        writer.Note(new ConnectionRecord { SendTail = 4096, SendBlocked = 1 });
        reader.Note(new ConnectionRecord { ReceiveHead = 4000 });
        writer.Compare(reader, 4096);
        Assert.That(writer.Idle, Is.EqualTo(1));
        writer.Note(new ConnectionRecord { SendTail = 5000, SendBlocked = 1 });
        writer.Compare(reader, 4096);
        Assert.That(writer.Idle, Is.Zero);
    }

    private static int Look(RingProgress reader, RingProgress writer, ulong sent, ulong received)
    {
        writer.Note(new ConnectionRecord { SendTail = sent });
        reader.Note(new ConnectionRecord { ReceiveHead = received });
        reader.Compare(writer, 4096);
        return reader.Idle;
    }
}
