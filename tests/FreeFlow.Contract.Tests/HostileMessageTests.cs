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

    // Offer: [type, connection, generation, scarce]; each line breaks one rule of the format.
    [TestCase("94030000", "an element is missing")]
    [TestCase("9303000000", "the array says three elements")]
    [TestCase("9503000000", "the array says five elements")]
    [TestCase("dc000403000000", "array 16 instead of fixarray")]
    [TestCase("dd0000000403000000", "array 32 instead of fixarray")]
    [TestCase("94cc03000000", "the type written longer than needed")]
    [TestCase("9403cc000000", "uint 8 for a fixint")]
    [TestCase("9403cc7f0000", "uint 8 for the largest fixint")]
    [TestCase("9403cd00ff0000", "uint 16 for a uint 8")]
    [TestCase("9403ce0000ffff0000", "uint 32 for a uint 16")]
    [TestCase("9403cf00000000ffffffff0000", "uint 64 for a uint 32")]
    [TestCase("9403cf00000001000000000000", "more than 32 bits")]
    [TestCase("9403ff0000", "a negative number")]
    [TestCase("9403d0010000", "int 8 instead of fixint")]
    [TestCase("9403d101000000", "int 16")]
    [TestCase("9403c00000", "nil")]
    [TestCase("9403c30000", "true")]
    [TestCase("9403ca000000000000", "a float")]
    [TestCase("9403a1310000", "a string")]
    [TestCase("9403900000", "an array")]
    [TestCase("8403000000", "a map")]
    [TestCase("9403000000c0", "something after the end")]
    [TestCase("", "nothing")]
    public void MalformedOfferIsRefused(string hex, string why) => AssertRefused(hex, why);

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
