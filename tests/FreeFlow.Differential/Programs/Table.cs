using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

/// <summary>The descriptors of one process.</summary>
internal sealed class Table(int process)
{
    private const int Capacity = 18;

    /// <summary>0: A or a child of it, 1: B.</summary>
    public int Process { get; } = process;

    public SortedDictionary<int, Slot> Slots { get; } = [];

    /// <summary>Those that a thread polls until the program ends: what becomes of one that is closed meanwhile is undefined (select(2), NOTES).</summary>
    public HashSet<int> Polled { get; } = [];

    /// <summary>A number that is free, or −1.</summary>
    public int Free => Enumerable.Range(0, Capacity).FirstOrDefault(i => !Slots.ContainsKey(i), -1);

    public Table Fork()
    {
        Table copy = new(Process);
        foreach ((int number, Slot slot) in Slots) copy.Slots[number] = slot;
        return copy;
    }
}
