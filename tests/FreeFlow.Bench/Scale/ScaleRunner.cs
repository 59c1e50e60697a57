using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench.Scale;

/// <summary><c>make bench CASE=scale</c>: 100,000 virtual IPs in a real etcd, and then who has them, and five real routers that read it all.</summary>
internal static class ScaleRunner
{
    internal const string Name = "scale";
    private const int Count = 100_000;

    internal static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("freeflow-scale-").FullName;
        try
        {
            using EtcdProcess etcd = new(folder);
            List<ScaleFigure> figures = [];
            Progress.Show(Name, $"etcd with {Count} addresses");
            etcd.PutAll(ScaleEntries.Addresses(Count));
            figures.AddRange(new ScaleStep(etcd, folder, "addresses", Count, ScaleEntries.Address(Count), mostMilliseconds: 2000).Measure());
            Progress.Show(Name, $"etcd with {Count} identities");
            etcd.PutAll(ScaleEntries.Identities(Count));
            string policy = Path.Combine(folder, "policy");
            File.WriteAllText(policy, "rule shop from namespace=team-1,app=app-1 to tier=back over shm,fabric\n");
            figures.AddRange(new ScaleStep(etcd, folder, "identities", Count, ScaleEntries.Identity(Count), mostMilliseconds: null, "--policy", policy).Measure());
            Progress.Clear();
            Report(figures);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Report(List<ScaleFigure> figures)
    {
        Table table = new() { Border = TableBorder.Rounded };
        string count = Count.ToString("#,0", CultureInfo.InvariantCulture);
        table.AddColumns(new TableColumn($"{count} addresses on 1,000 hosts, {count} identities"), new TableColumn("") { Alignment = Justify.Right }, new TableColumn("unit"), new TableColumn("target"), new TableColumn(""));
        foreach (ScaleFigure figure in figures)
        {
            table.AddRow(figure.What, Text.Figure(figure.Value), figure.Unit, figure.Most is { } limit ? $"≤ {Text.Figure(limit)} {figure.Unit}" : "", figure.Most is null ? "" : figure.Value <= figure.Most ? "ok" : "missed");
        }
        Terminal.Create().Write(table);
        File.WriteAllText(Path.Combine(Artifacts.Folder, "bench-scale.json"),
            JsonSerializer.Serialize(figures.Select(figure => new { what = figure.What, value = figure.Value, unit = figure.Unit, most = figure.Most }), new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }
}
