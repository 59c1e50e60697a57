using System;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Memory;

/// <summary>What is written into a ring is read from it: every byte, once, in order.</summary>
public sealed unsafe class RingStreamTests
{
    private const int Period = 100_003;

    private static readonly byte[] s_pattern = NewPattern();
    private static readonly ulong[] s_capacities = [4096, 8192, 65536, 1 << 20];

    [Test]
    public void RandomCallsCarryTheStream([ValueSource(nameof(s_capacities))] ulong capacity, [Range(1, 4)] int seed)
    {
        using RingPair ring = new(capacity);
        Random random = new(seed);
        byte[] buffer = new byte[2 * capacity], expected = new byte[2 * capacity];
        ulong written = 0, read = 0;
        for (int round = 0; round < 20_000; round++)
        {
            int size = Size(random, buffer.Length);
            if (random.Next(2) == 0)
            {
                Fill(buffer.AsSpan(0, size), written);
                long count = ring.Write(buffer.AsSpan(0, size));
                Assert.That((ulong)count, Is.EqualTo(Math.Min((ulong)size, capacity - (written - read))), "a write takes what fits");
                written += (ulong)count;
                continue;
            }
            bool peek = random.Next(4) == 0, discard = !peek && random.Next(8) == 0;
            long got = ring.Read(buffer.AsSpan(0, size), peek, discard);
            Assert.That((ulong)got, Is.EqualTo(Math.Min((ulong)size, written - read)), "a read takes what is there");
            Fill(expected.AsSpan(0, (int)got), read);
            if (!discard && !buffer.AsSpan(0, (int)got).SequenceEqual(expected.AsSpan(0, (int)got))) Assert.Fail($"round {round}: other bytes after {read}");
            if (!peek) read += (ulong)got;
            Assert.That(RingReader.Available(ring.Reader, ring.Direction), Is.EqualTo((long)(written - read)));
            Assert.That(RingWriter.Free(ring.Writer, ring.Direction), Is.EqualTo((long)(capacity - (written - read))));
        }
        Assert.That(read, Is.GreaterThan(10 * capacity), "the ring went round");
    }

    [Test]
    public void TwoThreadsAtOnceCarryTheStream([ValueSource(nameof(s_capacities))] ulong capacity)
    {
        using RingPair ring = new(capacity);
        const ulong total = 48 << 20;
        Thread writer = new(() =>
        {
            Random random = new(1);
            byte[] buffer = new byte[200_000];
            for (ulong written = 0; written < total;)
            {
                int size = (int)Math.Min((ulong)Size(random, buffer.Length), total - written);
                Fill(buffer.AsSpan(0, size), written);
                long count = ring.Write(buffer.AsSpan(0, size));
                if (count == 0) Thread.Yield();
                written += (ulong)count;
            }
        });
        writer.Start();
        Random random = new(2);
        byte[] buffer = new byte[200_000], expected = new byte[200_000];
        for (ulong read = 0; read < total;)
        {
            int got = (int)ring.Read(buffer.AsSpan(0, Size(random, buffer.Length)));
            if (got == 0) { Thread.Yield(); continue; }
            Fill(expected.AsSpan(0, got), read);
            if (!buffer.AsSpan(0, got).SequenceEqual(expected.AsSpan(0, got))) Assert.Fail($"other bytes after {read}");
            read += (ulong)got;
        }
        writer.Join();
        Assert.That(RingReader.Available(ring.Reader, ring.Direction), Is.Zero);
    }

    /// <summary>Question and answer touch the first page alone, however long they go on: it stays in cache, and the rest of the ring costs no memory.</summary>
    [Test]
    public void SmallTrafficStaysInTheFirstPage()
    {
        using RingPair ring = new(1 << 20);
        byte[] buffer = new byte[1000];
        for (int round = 0; round < 10_000; round++)
        {
            Assert.That(ring.Write(buffer), Is.EqualTo(buffer.Length));
            Assert.That(ring.Direction->Tail - ring.Direction->Base, Is.LessThanOrEqualTo((ulong)(RingLayout.PageBytes - RingLayout.HeaderBytes)));
            Assert.That(ring.Read(buffer), Is.EqualTo(buffer.Length));
        }
    }

    // Bytes that depend on their place in the stream, with a period that no power of two divides.
    private static void Fill(Span<byte> bytes, ulong position)
    {
        int start = (int)(position % Period);
        for (int done = 0; done < bytes.Length; start = 0)
        {
            int piece = Math.Min(bytes.Length - done, Period - start);
            s_pattern.AsSpan(start, piece).CopyTo(bytes[done..]);
            done += piece;
        }
    }

    private static byte[] NewPattern()
    {
        byte[] pattern = new byte[Period];
        new Random(3).NextBytes(pattern);
        return pattern;
    }

    private static int Size(Random random, int largest) => random.Next(4) switch
    {
        0 => random.Next(1, 64),
        1 => random.Next(1, Math.Min(5000, largest)),
        _ => random.Next(1, largest),
    };
}
