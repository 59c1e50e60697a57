using System;
using System.Runtime.InteropServices;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>What routers send each other, byte for byte: they may be of different builds.</summary>
public sealed class WireTests
{
    private static readonly FourTuple Tuple = new(
        new InternetEndpoint(InternetAddress.FromIPv4([10, 77, 1, 1]), 40000), new InternetEndpoint(InternetAddress.FromIPv4([10, 77, 2, 1]), 80));

    [Test]
    public void Header()
    {
        FrameHeader header = new() { Length = 0x01020304, Type = FrameType.Data, Stream = 0x0a0b0c0d, Position = 0x1122334455667788, Credit = 0x99aabbccddeeff00 };
        byte[] bytes = new byte[FrameHeader.Bytes];
        MemoryMarshal.Write(bytes, header);
        Assert.That(Convert.ToHexString(bytes), Is.EqualTo("04030201" + "2000" + "0000" + "0D0C0B0A" + "00000000" + "8877665544332211" + "00FFEEDDCCBBAA99"));
    }

    [Test]
    public void TypesKeepTheirNumbers() => Assert.That(
        Array.ConvertAll(Enum.GetValues<FrameType>(), type => $"{type}={(int)type}"),
        Is.EqualTo(new[] { "Hello=1", "Ping=2", "Offer=16", "Withdraw=17", "Accept=18", "Data=32", "Credit=33", "Ready=34", "Switch=35", "Recall=36", "Released=37", "WriterClosed=38", "ReaderClosed=39", "Close=40", "RecallAnswer=41" }));

    [Test]
    public void Hello()
    {
        byte[] message = new byte[512], secret = Convert.FromHexString("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
        int length = new FabricHello { Version = 6, Host = InternetAddress.FromIPv4([192, 168, 77, 1]), Instance = 0x1234, Secret = secret }.Write(message);
        Assert.That(Convert.ToHexString(message.AsSpan(0, length)), Is.EqualTo("9406B000000000000000000000FFFFC0A84D01CD1234" + "D920" + Convert.ToHexString(secret)));
        Assert.That(FabricHello.TryRead(message.AsSpan(0, length), out FabricHello read), Is.True);
        Assert.That((read.Version, read.Host.ToString(), read.Instance, Convert.ToHexString(read.Secret)), Is.EqualTo((6u, "192.168.77.1", 0x1234ul, Convert.ToHexString(secret))));
        for (int cut = 2; cut < length; cut++) Assert.That(FabricHello.TryRead(message.AsSpan(0, cut), out _), Is.False, $"{cut} of {length} bytes");
        Assert.That(FabricHello.TryRead(message.AsSpan(0, length + 1), out _), Is.False, "one byte more");
    }

    [TestCase("9305B000000000000000000000FFFFC0A84D01CD1234", 5u, TestName = "Hello of an older version")]
    [TestCase("95" + "0701020304", 7u, TestName = "Hello of a newer version")]
    public void OfAnotherVersionOnlyThatIsRead(string hex, uint version)
    {
        Assert.That(FabricHello.TryRead(Convert.FromHexString(hex), out FabricHello read), Is.True);
        Assert.That(read.Version, Is.EqualTo(version));
    }

    [Test]
    public void Offer() => AssertEncoded(
        new FabricOffer { Number = 7, Addresses = Tuple, MarksSent = 2, Place = 1 << 20, Sequence = new(0x01020304, 0xfffffffe) }.Write, "9907B000000000000000000000FFFF0A4D0101CD9C40B000000000000000000000FFFF0A4D02015002CE00100000" + "CE01020304" + "CEFFFFFFFE");

    [Test]
    public void Accept()
    {
        byte[] message = new byte[512];
        int length = new FabricAccept { Offer = 7, Stream = 8, Capacity = 1 << 20, MarkToOffering = "0123456789abcdef"u8, MarkToAccepting = "ABCDEFGHIJKLMNOP"u8, MarksSent = 3, Sequence = new(5, 0x01020304) }.Write(message);
        Assert.That(Convert.ToHexString(message.AsSpan(0, length)), Is.EqualTo("980708CE00100000B0" + "30313233343536373839616263646566" + "B0" + "4142434445464748494A4B4C4D4E4F50" + "03" + "05" + "CE01020304"));
        Assert.That(FabricAccept.TryRead(message.AsSpan(0, length), out FabricAccept read), Is.True);
        Assert.That((read.Offer, read.Stream, read.Capacity, read.MarksSent, read.Sequence), Is.EqualTo((7u, 8u, 1ul << 20, 3u, new InitialSequence(5, 0x01020304))));
        for (int cut = 0; cut < length; cut++) Assert.That(FabricAccept.TryRead(message.AsSpan(0, cut), out _), Is.False, $"{cut} of {length} bytes");
    }

    [Test]
    public void OfferIsReadBackAndNothingElseIs()
    {
        byte[] message = new byte[512];
        int length = new FabricOffer { Number = 7, Addresses = Tuple, MarksSent = 2, Place = 4096, Sequence = new(1, 2) }.Write(message);
        Assert.That(FabricOffer.TryRead(message.AsSpan(0, length), out FabricOffer read), Is.True);
        Assert.That((read.Number, read.Addresses, read.MarksSent, read.Place, read.Sequence), Is.EqualTo((7u, Tuple, 2u, 4096ul, new InitialSequence(1, 2))));
        Assert.That(FabricOffer.TryRead(message.AsSpan(0, new FabricOffer { Number = 7, Addresses = Tuple, Place = 4097 }.Write(message)), out _), Is.False, "no ring has that size");
        length = new FabricOffer { Number = 7, Addresses = Tuple, MarksSent = 2, Place = 4096 }.Write(message);
        Random random = new(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] spoilt = message.AsSpan(0, length).ToArray();
            spoilt[random.Next(length)] ^= (byte)(1 << random.Next(8));
            // What can be read at all is written back the same: no two spellings of one message.
            if (!FabricOffer.TryRead(spoilt, out FabricOffer other)) continue;
            byte[] again = new byte[512];
            Assert.That(again.AsSpan(0, other.Write(again)).SequenceEqual(spoilt), Is.True, Convert.ToHexString(spoilt));
        }
    }

    [TestCase((int)FrameType.Data, 0u, 1u, TestName = "Data without bytes")]
    [TestCase((int)FrameType.Data, 5u, 0u, TestName = "Data for no stream")]
    [TestCase((int)FrameType.Data, FrameHeader.MaximumDataBytes + 1, 1u, TestName = "Too much data")]
    [TestCase((int)FrameType.Offer, 513u, 0u, TestName = "A message that is too long")]
    [TestCase((int)FrameType.Offer, 40u, 1u, TestName = "An offer for a stream")]
    [TestCase((int)FrameType.Credit, 1u, 1u, TestName = "Credit with payload")]
    [TestCase((int)FrameType.Close, 0u, 0u, TestName = "Close for no stream")]
    [TestCase((int)FrameType.RecallAnswer, 0u, 0u, TestName = "An answer for no stream")]
    [TestCase(42, 0u, 1u, TestName = "An unknown type")]
    [TestCase(0, 0u, 0u, TestName = "Type 0")]
    public void ImpossibleHeadsAreRefused(int type, uint length, uint stream) =>
        Assert.That(new FrameHeader { Type = (FrameType)type, Length = length, Stream = stream }.IsPossible, Is.False);

    private delegate int Writer(Span<byte> buffer);

    private static void AssertEncoded(Writer write, string hex)
    {
        byte[] buffer = new byte[512];
        Assert.That(Convert.ToHexString(buffer.AsSpan(0, write(buffer))), Is.EqualTo(hex));
    }
}
