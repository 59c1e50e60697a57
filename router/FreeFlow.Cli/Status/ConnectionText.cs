using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using static FreeFlow.Cli.StatusCommand;

namespace FreeFlow.Cli.Status;

/// <summary>The status's connections: one on each line, or, if they are many, one line for those that are alike.</summary>
internal static class ConnectionText
{
    /// <summary>As many have lines of their own; 80x24 has room for no more.</summary>
    private const int MostLines = 20;

    private sealed record Row(JsonElement Process, JsonElement Connection)
    {
        public string Program => Text(Process, "program");
        public string Container => Text(Process, "container") is { Length: > 0 } name ? name : "-";
        public long Ring => Value("ring_sent") + Value("ring_received");
        public long Bytes => Ring + Value("kernel_sent") + Value("kernel_received");
        public double Age => Connection.GetProperty("age_s").GetDouble();
        public string Service => $"{Text(Connection, "local")} {Text(Connection, "remote")}".Split(' ') is [string local, string remote] ? ServiceOf(local, remote) : "-";

        public string Reason => Text(Connection, "reason") + (Text(Connection, "rule") is { Length: > 0 } rule && rule != "default" ? $" (rule {rule})" : "")
            + (Text(Connection, "strictly_refused").Length > 0 ? " (refused: FREEFLOW_STRICT)" : "");

        public long Value(string name) => Math.Min(Connection.GetProperty(name).GetInt64(), long.MaxValue / 8);
    }

    /// <summary>A table; says so if there is nothing.</summary>
    public static string Table(JsonElement processes, StatusView view)
    {
        JsonElement[] shown = [.. processes.EnumerateArray().Where(process => view.Shows(Text(process, "program")))];
        Row[] rows = [.. shown.SelectMany(process => process.GetProperty("connections").EnumerateArray().Select(connection => new Row(process, connection)))];
        if (shown.Length == 0) return view.Program is null ? "no processes of yours are connected\n" : $"no process of that name ({view.Program}) is connected\n";
        bool groups = !view.All && rows.Length > MostLines;
        return groups ? Grouped(rows, view.Sort) : Single(shown, rows, view.Sort);
    }

    private static string Single(JsonElement[] processes, Row[] rows, StatusOrder sort)
    {
        Table table = new("PROGRAM", "PID", "CONTAINER", "LOCAL", "REMOTE", "STATE", ">KERNEL OUT", ">IN", ">RING OUT", ">IN", ">AGE", "REASON");
        foreach (Row row in Order(rows, sort))
        {
            table.Add(row.Program, Pid(row.Process), row.Container, Text(row.Connection, "local"), Text(row.Connection, "remote"), Text(row.Connection, "state"),
                Bytes(row.Connection, "kernel_sent"), Bytes(row.Connection, "kernel_received"), Bytes(row.Connection, "ring_sent"), Bytes(row.Connection, "ring_received"),
                Units.Duration(row.Age), row.Reason);
        }
        foreach (JsonElement process in processes.Where(process => process.GetProperty("connections").GetArrayLength() == 0))
        {
            string container = Text(process, "container") is { Length: > 0 } name ? name : "-";
            table.Add(Text(process, "program"), Pid(process), container, "-", "-", "-", "-", "-", "-", "-", "-", "no connections");
        }
        return table.ToString();
    }

    private static string Grouped(Row[] rows, StatusOrder sort)
    {
        Table table = new("PROGRAM", "CONTAINER", "SERVICE", ">CONNECTIONS", "STATE", ">KERNEL OUT", ">IN", ">RING OUT", ">IN", ">OLDEST", "REASON");
        List<Row[]> groups = [.. rows.GroupBy(row => (row.Program, row.Container, row.Service, Text(row.Connection, "state"), row.Reason)).Select(group => group.ToArray())];
        IEnumerable<Row[]> ordered = sort switch
        {
            StatusOrder.Program => groups.OrderBy(group => group[0].Program),
            StatusOrder.Connections => groups.OrderByDescending(group => group.Length),
            StatusOrder.Ring => groups.OrderByDescending(group => group.Sum(row => row.Ring / rows.Length)),
            _ => groups.OrderByDescending(group => group.Sum(row => row.Bytes / rows.Length)),
        };
        foreach (Row[] group in ordered)
        {
            table.Add(group[0].Program, group[0].Container, group[0].Service, group.Length.ToString(CultureInfo.InvariantCulture), Text(group[0].Connection, "state"),
                Sum(group, "kernel_sent"), Sum(group, "kernel_received"), Sum(group, "ring_sent"), Sum(group, "ring_received"),
                Units.Duration(group.Max(row => row.Age)), group[0].Reason);
        }
        return $"{table}{rows.Length} connections; --all shows each\n";
    }

    private static IEnumerable<Row> Order(Row[] rows, StatusOrder sort) => sort switch
    {
        StatusOrder.Program => rows.OrderBy(row => row.Program),
        StatusOrder.Ring => rows.OrderByDescending(row => row.Ring),
        // Otherwise as the router tells them: process by process, the first connection first.
        _ => rows,
    };

    private static string Sum(Row[] group, string name)
    {
        long sum = 0;
        foreach (Row row in group) sum = Math.Min(long.MaxValue / 4, sum + row.Value(name));
        return Units.Bytes(sum);
    }

    private static string Pid(JsonElement process) => process.GetProperty("pid").GetRawText();

    /// <summary>As the router counts services: by the lower port.</summary>
    private static string ServiceOf(string local, string remote)
    {
        int here = Port(local), there = Port(remote);
        return here == 0 || there == 0 ? "-" : here <= there ? $"serves {here}" : $"calls {there}";
    }

    private static int Port(string endpoint) => int.TryParse(endpoint[(endpoint.LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? port : 0;
}
