using System;
using System.Linq;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Memory;

/// <summary>Walking over scattered buffers, with empty ones anywhere among them.</summary>
public sealed unsafe class VectorCursorTests
{
    [TestCase]
    [TestCase(0)]
    [TestCase(0, 0, 0)]
    [TestCase(1)]
    [TestCase(5, 0, 3)]
    [TestCase(0, 5, 0, 0, 3, 0)]
    [TestCase(100, 1, 1, 1, 0, 100)]
    public void VisitsEveryByteOnce(params int[] lengths)
    {
        byte[] memory = Enumerable.Range(0, 1000).Select(i => (byte)i).ToArray();
        fixed (byte* start = memory)
        {
            IoVector* vectors = stackalloc IoVector[lengths.Length + 1];
            int total = Lay(vectors, start, lengths);
            Assert.That((ulong)VectorCursor.Total(vectors, (nuint)lengths.Length), Is.EqualTo((ulong)total));
            foreach (int step in new[] { 1, 2, 7, 1000 })
            {
                VectorCursor cursor = new(vectors, (nuint)lengths.Length);
                int visited = 0;
                while (!cursor.AtEnd)
                {
                    nuint piece = Math.Min(cursor.Contiguous, (nuint)step);
                    Assert.That((ulong)piece, Is.Positive);
                    for (nuint i = 0; i < piece; i++) Assert.That(cursor.Pointer[i], Is.EqualTo((byte)visited++));
                    cursor.Advance(piece);
                }
                Assert.That(visited, Is.EqualTo(total));
            }
        }
    }

    [TestCase(16, 1000, new[] { 5, 3, 7 })]
    [TestCase(16, 8, new[] { 5, 3 })]
    [TestCase(16, 6, new[] { 5, 1 })]
    [TestCase(2, 1000, new[] { 5, 3 })]
    [TestCase(16, 0, new int[0])]
    public void CopiesWhatIsLeftWithinTheLimits(int capacity, int limit, int[] expected)
    {
        byte[] memory = new byte[100];
        fixed (byte* start = memory)
        {
            IoVector* vectors = stackalloc IoVector[5], copy = stackalloc IoVector[16];
            Lay(vectors, start, [5, 0, 3, 0, 7]);
            VectorCursor cursor = new(vectors, 5);
            nuint used = cursor.CopyTo(copy, (nuint)capacity, (nuint)limit);
            Assert.That(Enumerable.Range(0, (int)used).Select(i => LengthOf(copy, i)), Is.EqualTo(expected));
            Assert.That(cursor.Contiguous, Is.EqualTo((nuint)5), "the cursor itself stays");
        }
    }

    [Test]
    public void ASumThatOverflowsIsTheMaximum()
    {
        IoVector* vectors = stackalloc IoVector[2];
        vectors[0].Length = vectors[1].Length = nuint.MaxValue - 1;
        Assert.That(VectorCursor.Total(vectors, 2), Is.EqualTo(nuint.MaxValue));
    }

    private static int LengthOf(IoVector* vectors, int index) => (int)vectors[index].Length;

    private static int Lay(IoVector* vectors, byte* start, int[] lengths)
    {
        int total = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            vectors[i] = new IoVector { Base = start + total, Length = (nuint)lengths[i] };
            total += lengths[i];
        }
        return total;
    }
}
