using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using FreeFlow.Differential.Programs;

namespace FreeFlow.Differential.Running;

/// <summary>Many seeds on one road, several workers at once.</summary>
public sealed class Campaign
{
    private int _next, _performed;
    private readonly List<Failure> _failures = [];

    /// <summary>The first seed.</summary>
    public required int Seed { get; init; }

    /// <summary>How many, unless time ends first.</summary>
    public required int Count { get; init; }

    /// <summary>How often each is performed.</summary>
    public int Times { get; init; } = 1;

    /// <summary>When to stop.</summary>
    public DateTime End { get; init; } = DateTime.MaxValue;

    /// <summary>How many at once.</summary>
    public int Workers { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Stop after so many failures.</summary>
    public int Enough { get; init; } = 3;

    /// <summary>Whether failing programs are made shorter.</summary>
    public bool Shrink { get; init; } = true;

    /// <summary>Told of every failure at once.</summary>
    public Action<Failure> Failed { get; init; } = _ => { };

    /// <summary>How many programs were performed.</summary>
    public int Performed => _performed;

    /// <summary>Bytes read by the programs on the road.</summary>
    public long Bytes { get; private set; }

    /// <summary>Those of them that came through rings.</summary>
    public long RingBytes { get; private set; }

    /// <summary>Programs of which nothing can be said.</summary>
    public int Unsteady { get; private set; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Performed} programs from seed {Seed} on: {_failures.Count} differ, {Unsteady} unsteady on the kernel itself; {Bytes:N0} bytes read, {RingBytes:N0} of them through rings";

    /// <summary>Runs it.</summary>
    public IReadOnlyList<Failure> Run(Road road)
    {
        _next = 0;
        Exception? fault = null;
        Thread[] threads = [.. Enumerable.Range(0, Workers).Select(_ => new Thread(() =>
        {
            try { Work(road); }
            catch (Exception exception) { fault = exception; }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return fault is null ? _failures : throw new InvalidOperationException("a worker failed", fault);
    }

    private void Work(Road road)
    {
        // What one loses another one needs.
        using TwoHosts? own = road.Loses ? new() : null;
        if (own is not null) road = Road.Between(road.Name, own);
        using Worker worker = new(road);
        while (DateTime.UtcNow < End && _failures.Count < Enough)
        {
            int place = (Interlocked.Increment(ref _next) - 1) / Times, seed = Seed + place;
            if (place >= Count) break;
            Failure? failure = worker.Judge(road.Loses ? Losses.PutInto(Generator.Make(seed)) : Generator.Make(seed), Shrink);
            Interlocked.Increment(ref _performed);
            if (failure is null) continue;
            lock (_failures)
            {
                _failures.Add(failure);
                Failed(failure);
            }
        }
        lock (_failures)
        {
            Bytes += worker.Bytes;
            RingBytes += worker.RingBytes;
            Unsteady += worker.Unsteady;
        }
    }
}
