using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Scale;

/// <summary>How routers start with so many entries of one kind, what they take, and how fast they see one more.</summary>
/// <param name="what">"addresses" or "identities", as the status counts them.</param>
/// <param name="count">Entries of that kind in etcd.</param>
/// <param name="another">One that is not there yet.</param>
/// <param name="mostMilliseconds">What a start may take; null: nothing is asked.</param>
/// <param name="arguments">More for each router.</param>
internal sealed class ScaleStep(EtcdProcess etcd, string folder, string what, int count, (string Key, string Value) another, double? mostMilliseconds, params string[] arguments)
{
    private const int Starts = 5, Routers = 5, Changes = 40;

    internal IEnumerable<ScaleFigure> Measure()
    {
        List<LocatingRouter> routers = [];
        try
        {
            double none = MemoryWithout();
            Progress.Show(ScaleRunner.Name, $"{what}: starts, one at a time");
            double[] alone = [.. Enumerable.Range(0, Starts).Select(_ =>
            {
                using LocatingRouter router = Start(1);
                return router.WaitFor(what, count);
            })];
            Progress.Show(ScaleRunner.Name, $"{what}: {Routers} at once");
            for (int number = 1; number <= Routers; number++) routers.Add(Start(number));
            double together = routers.Max(router => router.WaitFor(what, count));
            Thread.Sleep(3000);
            double memory = Text.Median([.. routers.Select(router => router.Mebibytes)]);
            Progress.Show(ScaleRunner.Name, $"{what}: changes");
            double[] seen = [.. Enumerable.Range(0, Changes).Select(number => Change(routers, appears: number % 2 == 0))];
            return
            [
                new($"{what}: router start until it knows all, median of {Starts}", Text.Median(alone), "ms", mostMilliseconds),
                new("the slowest of these", alone.Max(), "ms"),
                new($"{Routers} routers started at once on one machine, the last", together, "ms"),
                new("memory of a router that knows all (RSS, median)", memory, "MiB"),
                new("memory of a router that knows none (RSS)", none, "MiB"),
                new($"a change seen by all {Routers} routers, median of {Changes}", Text.Median(seen), "ms", 50),
                new("the slowest of these", seen.Max(), "ms", 50),
            ];
        }
        finally
        {
            foreach (LocatingRouter router in routers) router.Dispose();
        }
    }

    private LocatingRouter Start(int number) => new(folder, $"{what}{number}", ["--locations", $"etcd:{etcd.Url}", "--host", $"192.168.200.{number}", .. arguments]);

    private double MemoryWithout()
    {
        using LocatingRouter router = new(folder, $"{what}-none", "--locations", "none");
        _ = router.WaitFor(what, 0);
        return router.Mebibytes;
    }

    /// <summary>An entry appears, or goes again: milliseconds from the call to etcd until the last router counts it.</summary>
    private double Change(List<LocatingRouter> routers, bool appears)
    {
        Thread.Sleep(50);
        int expected = count + (appears ? 1 : 0);
        long began = Stopwatch.GetTimestamp();
        if (appears) etcd.Put(another.Key, another.Value);
        else etcd.Delete(another.Key);
        foreach (LocatingRouter router in routers)
        {
            if (!Waiting.Until(() => router.Known(what) == expected, TimeSpan.FromSeconds(10))) throw new LabException($"a router counts {router.Known(what)} {what} and not {expected}");
        }
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }
}
