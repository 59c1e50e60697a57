using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Spectre.Console;

namespace FreeFlow.Bench.Hosts;

/// <summary>The two-host table for people and for machines.</summary>
internal static class HostReport
{
    private static readonly string[] s_heads =
        ["between two hosts", "unit", "overlay", "host TCP", "fabric", "fabric, TLS", "target of fabric", "", "CPU", "overlay", "host TCP", "fabric", "fabric, TLS", "bytes carried"];

    internal static void Print(IReadOnlyList<HostRow> rows)
    {
        Table table = new() { Border = TableBorder.Rounded };
        foreach ((int index, string head) in s_heads.Index()) table.AddColumn(new TableColumn(head) { Alignment = index is (>= 2 and <= 5) or >= 9 ? Justify.Right : Justify.Left });
        foreach (HostRow row in rows) table.AddRow(Cells(row).Select(Markup.Escape).ToArray());
        Terminal.Create().Write(table);
    }

    internal static void Write(IReadOnlyList<HostRow> rows, string path)
    {
        File.WriteAllText(path, JsonSerializer.Serialize(rows.Select(row => new
        {
            @case = row.Metric.Name, unit = row.Metric.Unit, medians = Named(row.Medians), cpu_unit = row.CpuUnit, cpu = Named(row.Cpu), target = row.Metric.Target, reached = row.Reached,
            runs = row.Runs, fabric_bytes = row.FabricBytes,
        }), new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
        File.WriteAllLines(Path.ChangeExtension(path, ".md"), new[] { $"| {string.Join(" | ", s_heads)} |", $"|{string.Concat(s_heads.Select(_ => "---|"))}" }.Concat(rows.Select(row => $"| {string.Join(" | ", Cells(row))} |")));
    }

    private static Dictionary<string, double> Named(IReadOnlyDictionary<HostRoad, double> values) => values.ToDictionary(pair => pair.Key.ToString().ToLowerInvariant(), pair => Math.Round(pair.Value, 3));

    private static string[] Cells(HostRow row) =>
    [
        row.Metric.Name, row.Metric.Unit, .. Roads.Select(road => Text.Figure(row.Medians[road])), row.Metric.Target, row.Metric.Target.Length == 0 ? "" : row.Reached ? "ok" : "missed",
        row.CpuUnit, .. Roads.Select(road => Text.Figure(row.Cpu[road])), Text.Bytes(row.FabricBytes),
    ];

    private static readonly HostRoad[] Roads = Enum.GetValues<HostRoad>();
}
