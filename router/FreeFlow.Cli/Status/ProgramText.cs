using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;

namespace FreeFlow.Cli.Status;

/// <summary>The status's totals: one line for each program and service, with what has ended.</summary>
internal static class ProgramText
{
    private const int ReasonsShown = 2;

    private sealed record Line(string Program, string Container, string Service, long Open, long OpenInRing, long Ended, long EndedInRing, long Kernel, long Ring, string Reasons);

    /// <summary>A table, or nothing if no program is to be shown, or the router is of a version that does not count them.</summary>
    public static string Table(JsonElement root, StatusView view)
    {
        if (!root.TryGetProperty("programs", out JsonElement programs)) return "";
        List<Line> lines = [.. programs.EnumerateArray().Where(program => view.Shows(StatusCommand.Text(program, "program"))).SelectMany(Lines)];
        IEnumerable<Line> ordered = view.Sort switch
        {
            StatusOrder.Program => lines.OrderBy(line => line.Program).ThenBy(line => line.Container).ThenBy(line => line.Service),
            StatusOrder.Connections => lines.OrderByDescending(line => line.Open).ThenByDescending(line => line.Ended),
            StatusOrder.Ring => lines.OrderByDescending(line => line.Ring),
            _ => lines.OrderByDescending(line => line.Ring + line.Kernel),
        };
        Table table = new("PROGRAM", "CONTAINER", "SERVICE", ">OPEN", ">IN RING", ">ENDED", ">IN RING", ">BYTES", ">BY RING", "WHY NOT");
        foreach (Line line in ordered)
        {
            table.Add(line.Program, line.Container.Length > 0 ? line.Container : "-", line.Service, Number(line.Open), Number(line.OpenInRing), Number(line.Ended),
                Number(line.EndedInRing), Units.Bytes(line.Ring + line.Kernel), Share(line.Ring, line.Kernel), line.Reasons);
        }
        return table.Rows == 0 ? "" : table.ToString();
    }

    /// <summary>The part of the bytes that went by ring, in percent; never 100 % or 0 % of what is only nearly so.</summary>
    internal static string Share(long ring, long kernel)
    {
        if (ring + kernel == 0) return "-";
        if (kernel == 0) return "100%";
        if (ring == 0) return "0%";
        return System.Math.Clamp(ring / ((double)ring + kernel) * 100, 0.1, 99.9).ToString("0.0", CultureInfo.InvariantCulture) + "%";
    }

    private static IEnumerable<Line> Lines(JsonElement program)
    {
        (string Name, long Count)[] reasons = [.. program.GetProperty("reasons").EnumerateObject().Select(reason => (reason.Name, reason.Value.GetInt64())).OrderByDescending(reason => reason.Item2)];
        string why = string.Join(", ", reasons.Take(ReasonsShown).Select(reason => $"{reason.Name} ({reason.Count})")) + (reasons.Length > ReasonsShown ? ", …" : "");
        foreach (JsonElement service in program.GetProperty("services").EnumerateArray())
        {
            long open = Count(service, "open"), inRing = Count(service, "open_in_ring"), ended = Count(service, "ended"), endedInRing = Count(service, "ended_in_ring");
            // The program's reasons belong to those of its services that have such connections.
            yield return new Line(StatusCommand.Text(program, "program"), StatusCommand.Text(program, "container"), Service(service), open, inRing, ended, endedInRing,
                Count(service, "kernel_sent") + Count(service, "kernel_received"), Count(service, "ring_sent") + Count(service, "ring_received"),
                open > inRing || ended > endedInRing ? why : "");
        }
    }

    internal static string Service(JsonElement service)
    {
        long port = Count(service, "port");
        return port == 0 ? "others" : $"{(service.GetProperty("served").GetBoolean() ? "serves" : "calls")} {port}";
    }

    internal static long Count(JsonElement element, string name) => System.Math.Min(element.GetProperty(name).GetInt64(), long.MaxValue / 8);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
