using System;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Memory;

/// <summary>The peer can write every word of the ring. Nothing it writes may lead outside the ring; what is impossible is noticed.</summary>
public sealed unsafe class HostileRingTests
{
    private const ulong Capacity = 8192;

    [TestCase(Capacity + 1)]
    [TestCase(ulong.MaxValue)]
    [TestCase(1ul << 63)]
    public void AnImpossibleTailIsNoticed(ulong tail)
    {
        using RingPair ring = new(Capacity);
        ring.Direction->Tail = tail;
        Assert.That(RingReader.Available(ring.Reader, ring.Direction), Is.EqualTo(-1));
        Assert.That(ring.Read(new byte[100]), Is.EqualTo(-1));
        Assert.That(ring.Reader->ReceiveHead, Is.Zero, "nothing was taken");
    }

    [TestCase(1ul)]
    [TestCase(ulong.MaxValue - 100)]
    [TestCase(1ul << 63)]
    public void AHeadBeyondTheTailIsNoticed(ulong beyond)
    {
        using RingPair ring = new(Capacity);
        ring.Write(new byte[100]);
        ring.Direction->Head = 100 + beyond;
        Assert.That(RingWriter.Free(ring.Writer, ring.Direction), Is.EqualTo(-1));
    }

    [Test]
    public void AHeadThatGoesBackIsNoticed()
    {
        using RingPair ring = new(Capacity);
        ring.Write(new byte[100]);
        ring.Read(new byte[100]);
        Assert.That(RingWriter.Free(ring.Writer, ring.Direction), Is.EqualTo((long)Capacity));
        ring.Direction->Head = 50;
        Assert.That(RingWriter.Free(ring.Writer, ring.Direction), Is.EqualTo(-1));
    }

    /// <summary>Random words in every field between the calls: each call returns, and touches no byte outside (the pages around the ring are forbidden).</summary>
    [Test]
    public void RandomWordsLeadNowhere([Range(1, 6)] int seed)
    {
        using RingPair ring = new(Capacity);
        Random random = new(seed);
        byte[] buffer = new byte[3 * Capacity];
        for (int round = 0; round < 100_000; round++)
        {
            RingBlockHeader* block = ring.Direction;
            switch (random.Next(10))
            {
                case 0: block->Tail = Word(random, ring.Reader->ReceiveHead); break;
                case 1: block->Head = Word(random, ring.Writer->SendTail); break;
                case 2: block->Base = Word(random, ring.Writer->SendTail); break;
                case 3: block->Capacity = Word(random, Capacity); break;
                case 4: block->ReaderWaiting = (uint)random.Next(); break;
                case 5: block->WriterWaiting = (uint)random.Next(); break;
            }
            int size = random.Next(1, buffer.Length);
            long result = random.Next(2) == 0 ? ring.Write(buffer.AsSpan(0, size)) : ring.Read(buffer.AsSpan(0, size), random.Next(4) == 0, random.Next(4) == 0);
            if (result < -1 || result > size) Assert.Fail($"round {round}: {result} of {size} bytes");
        }
    }

    private static ulong Word(Random random, ulong near) => random.Next(3) switch
    {
        0 => near + (ulong)random.Next(0, (int)Capacity * 2) - Capacity,
        1 => (ulong)random.NextInt64() << random.Next(2),
        _ => near,
    };
}
