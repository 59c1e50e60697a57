using System;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>Messages come from untrusted peers: what is not exactly a message is refused, and nothing throws.</summary>
public sealed class HostileMessageTests
{
    private static SampleMessage[] Samples => SampleMessage.All;

    [TestCaseSource(nameof(Samples))]
    public void TruncatedIsRefused(SampleMessage sample)
    {
        for (int length = 0; length < sample.Encoded.Length; length++)
            foreach (MessageKind kind in MessageKind.All)
                Assert.That(kind.Recode(sample.Encoded.AsSpan(0, length)), Is.Null, $"{kind}, first {length} bytes");
    }

    [TestCaseSource(nameof(Samples))]
    public void OverlongIsRefused(SampleMessage sample)
    {
        for (int extra = 0; extra < 256; extra++)
        {
            byte[] longer = [.. sample.Encoded, (byte)extra];
            foreach (MessageKind kind in MessageKind.All) Assert.That(kind.Recode(longer), Is.Null, $"{kind}, one more byte {extra:x2}");
        }
    }

    // Offer: [type, connection, generation, scarce, marks sent, place]; each line breaks one rule of the format, which the test behind them keeps.
    [TestCase("960300000000", "an element is missing")]
    [TestCase("95030000000000", "the array says five elements")]
    [TestCase("97030000000000", "the array says seven elements")]
    [TestCase("dc0006030000000000", "array 16 instead of fixarray")]
    [TestCase("dd00000006030000000000", "array 32 instead of fixarray")]
    [TestCase("96cc030000000000", "the type written longer than needed")]
    [TestCase("9603cc0000000000", "uint 8 for a fixint")]
    [TestCase("9603cc7f00000000", "uint 8 for the largest fixint")]
    [TestCase("9603cd00ff00000000", "uint 16 for a uint 8")]
    [TestCase("9603ce0000ffff00000000", "uint 32 for a uint 16")]
    [TestCase("9603cf00000000ffffffff00000000", "uint 64 for a uint 32")]
    [TestCase("9603cf000000010000000000000000", "more than 32 bits")]
    [TestCase("9603ff00000000", "a negative number")]
    [TestCase("9603d00100000000", "int 8 instead of fixint")]
    [TestCase("9603d1010000000000", "int 16")]
    [TestCase("9603c000000000", "nil")]
    [TestCase("9603c300000000", "true")]
    [TestCase("9603ca0000000000000000", "a float")]
    [TestCase("9603a13100000000", "a string")]
    [TestCase("96039000000000", "an array")]
    [TestCase("86030000000000", "a map")]
    [TestCase("96030000000000c0", "something after the end")]
    [TestCase("", "nothing")]
    [TestCase("960300000000cd1001", "a place of a size that no ring has")]
    public void MalformedOfferIsRefused(string hex, string why) => AssertRefused(hex, why);

    [TestCase("96030000000000")]
    [TestCase("960300000000cd1000")]
    public void OfferThatBreaksNoRuleIsRead(string hex) => Assert.That(MessageKind.All.Single(k => k.Type == MessageType.Offer).Recode(Convert.FromHexString(hex)), Is.EqualTo(Convert.FromHexString(hex)));

    // Hello: [type, version, slot, process, program, container].
    [TestCase("960101000105a0", "a number for the program's name")]
    [TestCase("960101000101c0a0", "nil for the program's name")]
    [TestCase("9601010001c40178a0", "bin 8 for the program's name")]
    [TestCase("9601010001d90178a0", "str 8 for a short string")]
    [TestCase("9601010001da000178a0", "str 16 for a short string")]
    [TestCase("9601010001db0000000178a0", "str 32 for a short string")]
    [TestCase("9601010001a378a0", "a string longer than the message")]
    public void MalformedHelloIsRefused(string hex, string why) => AssertRefused(hex, why);

    [Test]
    public void NameLongerThanAllowedIsRefused()
    {
        byte[] header = [0x96, 1, 1, 0, 1, 0xd9];
        byte[] longest = [.. header, 64, .. Enumerable.Repeat((byte)'x', 64), 0xa0];
        byte[] longer = [.. header, 65, .. Enumerable.Repeat((byte)'x', 65), 0xa0];
        MessageKind hello = MessageKind.All.Single(k => k.Type == MessageType.Hello);
        Assert.That(hello.Recode(longest), Is.EqualTo(longest));
        Assert.That(hello.Recode(longer), Is.Null);
    }

    [Test]
    public void RandomBytesNeverThrow([Range(1, 8)] int seed)
    {
        Random random = new(seed);
        byte[] message = new byte[Protocol.MaximumMessageBytes];
        for (int round = 0; round < 100_000; round++)
        {
            Span<byte> bytes = message.AsSpan(0, random.Next(24));
            random.NextBytes(bytes);
            // Most rounds start like a message, otherwise nearly all end at the first byte.
            if (bytes.Length > 1 && round % 4 != 0) { bytes[0] = (byte)(0x90 | random.Next(8)); bytes[1] = (byte)random.Next(10); }
            AssertAcceptedOnlyIfCanonical(bytes, seed, round);
        }
    }

    [Test]
    public void MutatedMessagesAreRefusedOrReadAsWritten([Range(1, 8)] int seed)
    {
        Random random = new(seed);
        SampleMessage[] samples = SampleMessage.All;
        for (int round = 0; round < 50_000; round++)
        {
            byte[] message = [.. samples[random.Next(samples.Length)].Encoded];
            for (int change = random.Next(1, 4); change > 0; change--) message = Mutate(message, random);
            AssertAcceptedOnlyIfCanonical(message, seed, round);
        }
    }

    private static byte[] Mutate(byte[] message, Random random)
    {
        if (message.Length == 0) return [(byte)random.Next(256)];
        int at = random.Next(message.Length);
        switch (random.Next(4))
        {
            case 0: message[at] ^= (byte)(1 << random.Next(8)); return message;
            case 1: message[at] = (byte)random.Next(256); return message;
            case 2: return [.. message[..at], .. message[(at + 1)..]];
            default: return [.. message[..at], (byte)random.Next(256), .. message[at..]];
        }
    }

    private static void AssertAcceptedOnlyIfCanonical(ReadOnlySpan<byte> message, int seed, int round)
    {
        foreach (MessageKind kind in MessageKind.All)
        {
            byte[]? again = kind.Recode(message);
            if (again is not null && !message.SequenceEqual(again))
                Assert.Fail($"seed {seed} round {round}: {kind} read {Convert.ToHexString(message)} but writes {Convert.ToHexString(again)}");
        }
    }

    private static void AssertRefused(string hex, string why)
    {
        foreach (MessageKind kind in MessageKind.All) Assert.That(kind.Recode(Convert.FromHexString(hex)), Is.Null, $"{kind}: {why}");
    }
}
