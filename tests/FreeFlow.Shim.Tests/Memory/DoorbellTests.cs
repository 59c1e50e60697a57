using FreeFlow.Shim.Memory;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Memory;

/// <summary>A doorbell is rung once for each time its owner said that it sleeps, and never otherwise (shim/models/doorbell.pml).</summary>
public sealed unsafe class DoorbellTests
{
    private const int WriterSide = 0, ReaderSide = 1;

    [Test]
    public void TheFirstBytesWakeAReaderThatNeverLooked()
    {
        using RingPair ring = new(4096);
        ring.Write(new byte[10]);
        ring.Write(new byte[10]);
        Assert.That(ring.Rung(ReaderSide), Is.EqualTo(1));
    }

    [Test]
    public void AReaderIsWokenOncePerSleep()
    {
        using RingPair ring = new(4096);
        ring.Write(new byte[10]);
        ring.Rung(ReaderSide);
        ring.Write(new byte[10]);
        Assert.That(ring.Rung(ReaderSide), Is.Zero, "it is awake");
        Doorbell.ArmReader(ring.Direction);
        ring.Write(new byte[10]);
        ring.Write(new byte[10]);
        Assert.That(ring.Rung(ReaderSide), Is.EqualTo(1));
        Assert.That(ring.Rung(WriterSide), Is.Zero);
    }

    [Test]
    public void AWriterIsWokenWhenThereIsEnoughRoom()
    {
        using RingPair ring = new(4096);
        Assert.That(ring.Write(new byte[5000]), Is.EqualTo(4096));
        Doorbell.ArmWriter(ring.Direction);
        ring.Read(new byte[1]);
        Assert.That(ring.Rung(WriterSide), Is.Zero, "one byte is not worth a wake-up");
        ring.Read(new byte[3000]);
        ring.Read(new byte[10]);
        Assert.That(ring.Rung(WriterSide), Is.EqualTo(1));
    }

    [Test]
    public void AWriterThatDoesNotWaitIsLeftAlone()
    {
        using RingPair ring = new(4096);
        ring.Write(new byte[5000]);
        ring.Read(new byte[4096]);
        Assert.That(ring.Rung(WriterSide), Is.Zero);
    }
}
