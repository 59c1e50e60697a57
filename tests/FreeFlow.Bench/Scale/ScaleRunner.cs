using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench.Scale;

/// <summary><c>make bench CASE=scale</c>: 100,000 virtual IPs in a real etcd, five real routers that read them all.</summary>
internal static class ScaleRunner
{
    internal const string Name = "scale";
    private const int Addresses = 100_000, Routers = 5, Changes = 40;

    internal static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("freeflow-scale-").FullName;
        List<LocatingRouter> routers = [];
        try
        {
            Progress.Show(Name, $"etcd with {Addresses} addresses");
            using EtcdProcess etcd = new(folder);
            etcd.PutAll(Enumerable.Range(0, Addresses).Select(i => (Key(i), $"192.168.{i % 1000 / 250}.{(i % 250) + 1}")));
            LocatingRouter Start(int number) => new(folder, $"router{number}", "--locations", $"etcd:{etcd.Url}", "--host", $"192.168.200.{number}");
            using LocatingRouter none = new(folder, "none", "--locations", "none");
            _ = none.WaitFor(0);
            long before = Memory(none);
            Progress.Show(Name, "starts, one at a time");
            double[] alone = [.. Enumerable.Range(0, 5).Select(_ =>
            {
                using LocatingRouter router = Start(1);
                return router.WaitFor(Addresses);
            })];
            Progress.Show(Name, $"{Routers} at once");
            routers.AddRange(Enumerable.Range(1, Routers).Select(Start));
            double together = routers.Max(router => router.WaitFor(Addresses));
            Thread.Sleep(3000);
            long[] memory = [.. routers.Select(Memory)];
            Progress.Show(Name, "changes");
            double[] seen = [.. Enumerable.Range(0, Changes).Select(i => Change(etcd, routers, i))];
            (string What, double Value, string Unit, double? Most)[] rows =
            [
                ("router start until it knows all, median of 5", Text.Median(alone), "ms", 2000),
                ("the slowest of these", alone.Max(), "ms", null),
                ($"{Routers} routers started at once on one machine, the last", together, "ms", null),
                ("memory of a router that knows all (RSS, median)", Text.Median([.. memory.Select(kib => kib / 1024.0)]), "MiB", null),
                ("memory of a router that knows none (RSS)", before / 1024.0, "MiB", null),
                ($"a change seen by all {Routers} routers, median of {Changes}", Text.Median(seen), "ms", 50),
                ("the slowest of these", seen.Max(), "ms", 50),
            ];
            Progress.Clear();
            Table table = new() { Border = TableBorder.Rounded };
            table.AddColumns(new TableColumn($"{Addresses.ToString("#,0", CultureInfo.InvariantCulture)} addresses on 1,000 hosts"), new TableColumn("") { Alignment = Justify.Right }, new TableColumn("unit"), new TableColumn("target"), new TableColumn(""));
            foreach ((string what, double value, string unit, double? most) in rows) table.AddRow(what, Text.Figure(value), unit, most is { } limit ? $"≤ {Text.Figure(limit)} {unit}" : "", most is null ? "" : value <= most ? "ok" : "missed");
            Terminal.Create().Write(table);
            File.WriteAllText(Path.Combine(Artifacts.Folder, "bench-scale.json"), JsonSerializer.Serialize(rows.Select(row => new { what = row.What, value = row.Value, unit = row.Unit, most = row.Most }), new JsonSerializerOptions { WriteIndented = true }) + "\n");
        }
        finally
        {
            foreach (LocatingRouter router in routers) router.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>An address appears, or goes again: milliseconds from the call to etcd until the last router counts it.</summary>
    private static double Change(EtcdProcess etcd, List<LocatingRouter> routers, int number)
    {
        Thread.Sleep(50);
        int expected = Addresses + (number % 2 == 0 ? 1 : 0);
        long began = Stopwatch.GetTimestamp();
        if (number % 2 == 0) etcd.Put(Key(Addresses), "192.168.9.9");
        else etcd.Delete(Key(Addresses));
        foreach (LocatingRouter router in routers)
        {
            if (!Waiting.Until(() => router.Addresses == expected, TimeSpan.FromSeconds(10))) throw new LabException($"a router counts {router.Addresses} addresses and not {expected}");
        }
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static long Memory(LocatingRouter router) => ProcessTree.MemoryKib(router.Process.Pid).Rss;

    // The hunter's keys (docs/etcd.md).
    private static string Key(int i) => $"Microsoft/FreeFlow/10.{i >> 16}.{(i >> 8) & 255}.{i & 255}";
}
