using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.Rdma.Hardware;
using FreeFlow.Rdma.Placement;
using NUnit.Framework;

namespace FreeFlow.Kubernetes.Tests.Rdma;

/// <summary>The placement against every distribution there is.</summary>
internal sealed class PlacerTests
{
    [Test]
    public void ItFindsTheFirstOfAllDistributionsThatFit()
    {
        Random random = new(20261130);
        int placed = 0, refused = 0;
        for (int round = 0; round < 3000; round++)
        {
            PhysicalFunction[] cards = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Card(random))];
            InterfaceRequest[] requests = [.. Enumerable.Range(0, random.Next(0, 5))
                .Select(_ => new InterfaceRequest { MinTxRate = (uint)random.Next(0, 6) })];
            int[]? expected = Distributions(requests.Length, cards.Length).FirstOrDefault(distribution =>
                Fits(distribution, requests, cards));
            Assert.That(Placer.Place(requests, cards), Is.EqualTo(expected));
            if (expected is null) refused++;
            else placed++;
        }
        Assert.That((placed > 500, refused > 500), Is.EqualTo((true, true)));
    }

    [Test]
    public void ACardWithMoreInUseThanItHasTakesNothing() =>
        Assert.That(Placer.Place([new InterfaceRequest()], [new PhysicalFunction { CapacityTxRate = 1, UsedTxRate = 2, CapacityFunctions =
            1, UsedFunctions = 2 }]), Is.Null);

    [Test]
    public void AHopelessRequestEnds()
    {
        PhysicalFunction[] cards = [.. Enumerable.Range(0, 30).Select(_ => new PhysicalFunction { CapacityTxRate = 10, CapacityFunctions =
            10 })];
        InterfaceRequest[] requests = [.. Enumerable.Range(0, 60).Select(index => new InterfaceRequest { MinTxRate = index == 59 ? 11u
            : 1 })];
        Assert.That(Placer.Place(requests, cards), Is.Null);
    }

    private static PhysicalFunction Card(Random random)
    {
        uint functions = (uint)random.Next(0, 4), rate = (uint)random.Next(0, 10);
        return new PhysicalFunction
        {
            CapacityTxRate = rate,
            UsedTxRate = (uint)random.Next(0, (int)rate + 1),
            CapacityFunctions = functions,
            UsedFunctions = (uint)random.Next(0, (int)functions + 1),
        };
    }

    // In the order of the cards, the first interface's card changing last.
    private static IEnumerable<int[]> Distributions(int requests, int cards)
    {
        int[] distribution = new int[requests];
        while (true)
        {
            yield return [.. distribution];
            int index = requests - 1;
            while (index >= 0 && ++distribution[index] == cards) distribution[index--] = 0;
            if (index < 0) yield break;
        }
    }

    private static bool Fits(int[] distribution, InterfaceRequest[] requests, PhysicalFunction[] cards) =>
        Enumerable.Range(0, cards.Length).All(card =>
    {
        uint[] rates = [.. distribution.Zip(requests).Where(pair => pair.First == card).Select(pair => pair.Second.MinTxRate)];
        return rates.Length <= cards[card].CapacityFunctions - cards[card].UsedFunctions && rates.Sum(rate =>
            rate) <= cards[card].CapacityTxRate - cards[card].UsedTxRate;
    });
}
