using System;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>Each message, byte for byte, and back.</summary>
public sealed class MessageBytesTests
{
    private static SampleMessage[] Samples => SampleMessage.All;

    [TestCaseSource(nameof(Samples))]
    public void IsWrittenInExactlyTheseBytes(SampleMessage sample) =>
        Assert.That(Convert.ToHexString(sample.Encoded), Is.EqualTo(sample.Hex));

    [TestCaseSource(nameof(Samples))]
    public void IsReadByItsOwnKindAlone(SampleMessage sample)
    {
        foreach (MessageKind kind in MessageKind.All)
        {
            byte[]? again = kind.Recode(sample.Encoded);
            if (sample.Encoded[1] == (byte)kind.Type) Assert.That(again, Is.EqualTo(sample.Encoded), kind.Name);
            else Assert.That(again, Is.Null, kind.Name);
        }
    }

    [TestCaseSource(nameof(Samples))]
    public void FitsOrIsNotWritten(SampleMessage sample)
    {
        MessageKind kind = MessageKind.All.Single(k => (byte)k.Type == sample.Encoded[1]);
        Assert.That(kind.Recode(sample.Encoded), Is.EqualTo(sample.Encoded));
        for (int room = 0; room < sample.Encoded.Length; room++)
            Assert.That(kind.RecodeInto(sample.Encoded, room), Is.Zero, $"a buffer of {room} bytes");
    }

    [Test]
    public void EveryMessageTypeHasAKindHere() =>
        Assert.That(MessageKind.All.Select(k => k.Type), Is.EquivalentTo(Enum.GetValues<MessageType>()));

    [Test]
    public void TypeNumbers() => Assert.That(
        Enum.GetValues<MessageType>().Select(t => $"{t}={(byte)t}"),
        Is.EqualTo(new[] { "Hello=1", "Welcome=2", "Offer=3", "Join=4", "Refuse=5", "Withdraw=6", "StatusRequest=7", "StatusReply=8", "ReturnRequest=9",
            "VerbsHello=10", "VerbsReply=11", "VerbsCreateQueuePair=12", "VerbsConnect=13", "VerbsJoin=14", "VerbsLeave=15",
            "VerbsRegister=16", "VerbsDeregister=17", "VerbsResolve=18", "VerbsGrant=19", "VerbsEdge=20", "VerbsEdgeReply=21",
            "VerbsListen=22", "VerbsArrival=23",
            "VerbsCmCommand=24", "VerbsCmCreate=25", "VerbsCmAddress=26", "VerbsCmConnect=27", "VerbsCmState=28", "VerbsCmEvent=29",
            "RefillRequest=30",
        }));
}
