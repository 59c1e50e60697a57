using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.Differential.Running;
using NUnit.Framework;

namespace FreeFlow.Differential.Tests;

/// <summary>Thousands of random programs: every answer and every byte as over kernel TCP. A failing one is printed short, with the command that repeats it.</summary>
public sealed class RandomProgramTests
{
    /// <summary>No program may part every time. Of those that part now and then two of each road may do so, on a machine that is busy with other things.</summary>
    private const int Tolerated = 2;

    private static void Judge(IReadOnlyList<Failure> failures)
    {
        foreach (Failure failure in failures) TestContext.Out.WriteLine(failure);
        Assert.That(failures.Where(failure => failure.IsSteady), Is.Empty, string.Join('\n', failures));
        Assert.That(failures, Has.Count.AtMost(Tolerated), string.Join('\n', failures));
    }

    [TestCase("ring", 1, 900)]
    [TestCase("soon", 100_000, 400)]
    [TestCase("default", 200_000, 300)]
    [TestCase("one-end", 300_000, 200)]
    public void EveryAnswerIsTheKernels(string road, int seed, int count)
    {
        using Router router = new();
        Campaign campaign = new() { Seed = seed, Count = count, Enough = Tolerated + 1, Shrink = false };
        IReadOnlyList<Failure> failures = campaign.Run(Road.Named(road, router.Socket));
        TestContext.Out.WriteLine(campaign);
        Judge(failures);
        // A comparison of the kernel with itself would prove nothing.
        if (road == "ring") Assert.That(campaign.RingBytes, Is.GreaterThan(campaign.Bytes / 2), "bytes that went through rings");
        else if (road is "soon" or "default") Assert.That(campaign.RingBytes, Is.GreaterThan(0), "bytes that went through rings");
    }

    [Test]
    public void RoutersComeAndGo()
    {
        using Router router = new();
        const int count = 100;
        Campaign campaign = new() { Seed = 400_000, Count = count, Enough = Tolerated + 1, Shrink = false };
        router.ComeAndGo();
        IReadOnlyList<Failure> failures = campaign.Run(Road.ComeAndGo(router.Socket));
        TestContext.Out.WriteLine(campaign);
        Judge(failures);
        Assert.That(campaign.RingBytes, Is.GreaterThan(0), "bytes that went through rings");
    }

    [Test]
    public void TheKernelAgreesWithItself()
    {
        Campaign campaign = new() { Seed = 500_000, Count = 100 };
        IReadOnlyList<Failure> failures = campaign.Run(Road.Plain);
        Assert.That(failures, Is.Empty, string.Join('\n', failures));
        Assert.That(campaign.Unsteady, Is.LessThan(5), "programs without one outcome");
        Assert.That(campaign.RingBytes, Is.Zero, "bytes that went through rings which are not there");
    }
}
