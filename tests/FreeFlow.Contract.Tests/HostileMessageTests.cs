using System;
using System.Linq;
using CsCheck;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>Messages come from untrusted peers: what is not exactly a message is refused, and nothing throws.</summary>
public sealed class HostileMessageTests
{
    // Most begin like a message, otherwise nearly all end at the first byte.
    private static readonly Gen<byte[]> s_noise = Gen.Frequency(
        (1, Gen.Byte.Array[0, 23]),
        (3, Gen.Select(Gen.Int[0, 7], Gen.Byte[0, 9], Gen.Byte.Array[0, 21], (fields, type, rest) => (byte[])[(byte)(0x90 | fields), type, .. rest])));

    private static readonly Gen<Mutation> s_mutation = Gen.Select(
        Gen.Int[0, 3], Gen.Int[0, Protocol.MaximumMessageBytes], Gen.Byte, (kind, at, value) => new Mutation(kind, at, value));

    private static SampleMessage[] Samples { get; } = SampleMessage.All;

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
    public void RandomBytesNeverThrow() => s_noise.Sample(AssertAcceptedOnlyIfCanonical, iter: 800_000, print: Convert.ToHexString);

    [Test]
    public void MutatedMessagesAreRefusedOrReadAsWritten() =>
        Gen.Select(Gen.Int[0, SampleMessage.All.Length - 1], s_mutation.Array[1, 3])
            .Select((sample, mutations) => mutations.Aggregate(Samples[sample].Encoded, (message, mutation) => mutation.Apply(message)))
            .Sample(AssertAcceptedOnlyIfCanonical, iter: 400_000, print: Convert.ToHexString);

    private static void AssertAcceptedOnlyIfCanonical(byte[] message)
    {
        foreach (MessageKind kind in MessageKind.All)
        {
            byte[]? again = kind.Recode(message);
            if (again is not null && !message.AsSpan().SequenceEqual(again)) throw new AssertionException($"{kind} writes {Convert.ToHexString(again)}");
        }
    }

    private static void AssertRefused(string hex, string why)
    {
        foreach (MessageKind kind in MessageKind.All) Assert.That(kind.Recode(Convert.FromHexString(hex)), Is.Null, $"{kind}: {why}");
    }
}
