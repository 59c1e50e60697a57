using System.Linq;
using FreeFlow.Contract.Layout;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>The arithmetic of a ring memfd.</summary>
public sealed class RingLayoutTests
{
    [Test]
    public void Constants() => Assert.That(
        new object[] { RingLayout.Magic, RingLayout.Version, RingLayout.HeaderBytes, RingLayout.PageBytes, RingLayout.MinimumCapacity, RingLayout.MaximumCapacity },
        Is.EqualTo(new object[] { 0x31524646u, 5u, 512, 4096, 4096ul, 67108864ul }));

    [TestCase(0ul, false)]
    [TestCase(1ul, false)]
    [TestCase(2048ul, false)]
    [TestCase(4095ul, false)]
    [TestCase(4096ul, true)]
    [TestCase(4097ul, false)]
    [TestCase(8192ul, true)]
    [TestCase(12288ul, false)]
    [TestCase(67108864ul, true)]
    [TestCase(67108865ul, false)]
    [TestCase(134217728ul, false)]
    [TestCase(ulong.MaxValue, false)]
    [TestCase(1ul << 63, false)]
    public void OnlyPowersOfTwoBetweenTheLimitsAreCapacities(ulong capacity, bool valid) =>
        Assert.That(RingLayout.IsValidCapacity(capacity), Is.EqualTo(valid));

    [TestCase(4096ul, 8192ul)]
    [TestCase(8192ul, 12288ul)]
    [TestCase(65536ul, 69632ul)]
    [TestCase(1048576ul, 1052672ul)]
    [TestCase(67108864ul, 67112960ul)]
    public void ABlockIsHeaderAndDataRoundedUpToAPage(ulong capacity, ulong block)
    {
        Assert.That(RingLayout.BlockBytes(capacity), Is.EqualTo(block));
        Assert.That(RingLayout.TotalBytes(capacity), Is.EqualTo(2 * block));
        Assert.That(RingLayout.WriterBlockOffset(0, capacity), Is.Zero);
        Assert.That(RingLayout.WriterBlockOffset(1, capacity), Is.EqualTo(block));
    }

    [Test]
    public void EveryCapacityHoldsHeaderAndDataWithoutWastingAPage() => Assert.That(
        Enumerable.Range(12, 15).Select(bits => 1ul << bits).Where(c =>
            !RingLayout.IsValidCapacity(c) || RingLayout.BlockBytes(c) < c + 512 || RingLayout.BlockBytes(c) >= c + 512 + 4096 || RingLayout.BlockBytes(c) % 4096 != 0),
        Is.Empty);
}
