using System;
using System.Collections.Generic;
using System.IO;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench;

/// <summary>The part of <c>make demo</c> for RDMA: perftest between two containers that have no device. Without FreeFlow there is nothing to compare with: the programs find none.</summary>
internal static class VerbsDemo
{
    private const int Port = 18515;
    private const string Figures = @"^ *{0} +\d+ +[\d.]+ +[\d.]+ +([\d.]+)", Average = @"^ *{0} +\d+ +[\d.]+ +([\d.]+)";

    private static readonly (string Program, string Size, string What, string Unit, string Pattern)[] s_programs =
    [
        ("ib_write_bw", "65536", "RDMA writes of 64 KiB", "MiB/s", Average),
        ("ib_write_lat", "8", "RDMA write of 8 B, one way", "µs", Figures),
        ("ib_send_lat", "8", "send of 8 B, one way", "µs", Figures),
    ];

    /// <summary>Empty if perftest is not installed.</summary>
    internal static List<VerbsDemoRow> Measure(ContainerPair pair)
    {
        List<VerbsDemoRow> rows = [];
        foreach ((string program, string size, string what, string unit, string pattern) in s_programs)
        {
            if (!File.Exists($"/usr/bin/{program}")) return [];
            Progress.Show("RDMA without a device", program);
            using LabProcess server = pair.First.Start(new CommandLine(program, "-s", size).WithFreeFlow(true));
            pair.First.WaitForPort(Port, server);
            CompletedProcess client = pair.Second.Run(new CommandLine(program, "-s", size, pair.First.Address4).WithFreeFlow(true)).Succeeded(program);
            _ = server.Wait(TimeSpan.FromSeconds(30)).Succeeded(program);
            rows.Add(new VerbsDemoRow(program, what, Text.Find(client.Output, string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, size)), unit));
        }
        return rows;
    }

    internal static void Print(List<VerbsDemoRow> rows, IAnsiConsole console)
    {
        if (rows.Count == 0) return;
        Table table = new() { Border = TableBorder.Rounded, Title = new TableTitle("perftest between the same containers, on freeflow0: no RDMA device, no privilege") };
        _ = table.AddColumn("").AddColumn("").AddColumn(new TableColumn("under freeflow run").RightAligned());
        foreach (VerbsDemoRow row in rows) _ = table.AddRow(row.Program, row.What, $"{Text.Figure(row.Figure)} {row.Unit}");
        console.Write(table);
    }
}
