using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Spectre.Console;

namespace FreeFlow.Bench.Measuring;

/// <summary>The result for people and for machines.</summary>
internal static class BenchReport
{
    /// <summary>Prints the table.</summary>
    internal static void Print(IReadOnlyList<BenchRow> rows)
    {
        Table table = new() { Border = TableBorder.Rounded };
        string[] heads = ["case", "unit", "kernel", "unix", "FreeFlow", "better by", "target", "", "µs CPU/op kernel", "µs CPU/op FreeFlow", "bytes in rings"];
        foreach (string head in heads) table.AddColumn(new TableColumn(head) { Alignment = heads.Skip(2).Take(4).Concat(heads.Skip(8)).Contains(head) ? Justify.Right : Justify.Left });
        foreach (BenchRow row in rows) table.AddRow(Cells(row).Select(Markup.Escape).ToArray());
        IAnsiConsole console = Terminal.Create();
        console.Write(table);
        int missed = rows.Count(row => !row.Reached);
        console.MarkupLine(missed == 0 ? "every target is reached" : $"{missed} of {rows.Count} targets are missed");
    }

    /// <summary>Writes the list that <c>make bench</c> promises; a figure that does not exist is null.</summary>
    internal static void Write(IReadOnlyList<BenchRow> rows, string path)
    {
        IEnumerable<Dictionary<string, object?>> list = rows.Select(row => new Dictionary<string, object?>
        {
            ["case"] = row.Metric.Name,
            ["unit"] = row.Metric.Unit,
            ["kernel"] = Number(row.Medians.Kernel),
            ["unix"] = Number(row.Medians.Unix),
            ["freeflow"] = Number(row.Medians.FreeFlow),
            ["ratio"] = Number(row.Medians.Ratio),
            ["target"] = row.Metric.Target.Text,
            ["reached"] = row.Reached,
            ["runs"] = row.Runs,
            ["ring_bytes"] = row.RingBytes,
            ["cpu_us_kernel"] = Number(row.Cpu(Road.Kernel)),
            ["cpu_us_unix"] = Number(row.Cpu(Road.Unix)),
            ["cpu_us_freeflow"] = Number(row.Cpu(Road.FreeFlow)),
        });
        File.WriteAllText(path, JsonSerializer.Serialize(list, new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
        File.WriteAllLines(Path.ChangeExtension(path, ".md"), Markdown(rows));
    }

    private static IEnumerable<string> Markdown(IReadOnlyList<BenchRow> rows)
    {
        yield return "| case | unit | kernel | unix | FreeFlow | better by | target | | CPU/op kernel | CPU/op FreeFlow | bytes in rings |";
        yield return "|---|---|--:|--:|--:|--:|---|---|--:|--:|--:|";
        foreach (BenchRow row in rows) yield return $"| {string.Join(" | ", Cells(row))} |";
    }

    private static string[] Cells(BenchRow row) =>
    [
        row.Metric.Name, row.Metric.Unit, Text.Figure(row.Medians.Kernel), Text.Figure(row.Medians.Unix),
        row.Accelerated ? Text.Figure(row.Medians.FreeFlow) : "not accelerated",
        double.IsFinite(row.Medians.Ratio) ? Text.Figure(row.Medians.Ratio) + "×" : "–",
        row.Metric.Target.Text, row.Reached ? "ok" : "missed",
        Text.Figure(row.Cpu(Road.Kernel)), Text.Figure(row.Cpu(Road.FreeFlow)), row.RingBytes > 0 ? Text.Bytes(row.RingBytes) : "–",
    ];

    private static double? Number(double value) => double.IsFinite(value) ? double.Parse(value.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;
}
