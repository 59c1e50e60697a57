using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.Rdma.Hardware;

namespace FreeFlow.Rdma.Placement;

/// <summary>
/// Distributes the interfaces that a pod asks for over a node's cards: each to a card with a free function and enough rate that nobody is
/// guaranteed. The first distribution is taken, cards in their order; the maximum rates play no part.
/// </summary>
internal static class Placer
{
    /// <summary>
    /// The steps after which a search gives up: a pod with dozens of interfaces over dozens of cards must not hold the scheduler.
    /// A node that would have had room after more steps counts as one that has none.
    /// </summary>
    private const int MostSteps = 100000;

    /// <summary>For each interface the index of its card, or nothing where they do not all fit.</summary>
    internal static IReadOnlyList<int>? Place(IReadOnlyList<InterfaceRequest> requests, IReadOnlyList<PhysicalFunction> cards)
    {
        Search search = new(requests, [.. cards.Select(card => Math.Max(0, (long)card.CapacityTxRate - card.UsedTxRate))],
            [.. cards.Select(card => Math.Max(0, (long)card.CapacityFunctions - card.UsedFunctions))]);
        return search.PlaceFrom(0) ? search.Cards : null;
    }

    private sealed class Search(IReadOnlyList<InterfaceRequest> requests, long[] rates, long[] functions)
    {
        private int _steps;

        internal int[] Cards { get; } = new int[requests.Count];

        internal bool PlaceFrom(int index)
        {
            if (index == requests.Count) return true;
            uint rate = requests[index].MinTxRate;
            for (int card = 0; card < rates.Length && ++_steps <= MostSteps; card++)
            {
                if (functions[card] == 0 || rates[card] < rate) continue;
                functions[card]--;
                rates[card] -= rate;
                Cards[index] = card;
                if (PlaceFrom(index + 1)) return true;
                functions[card]++;
                rates[card] += rate;
            }
            return false;
        }
    }
}
