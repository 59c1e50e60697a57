using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using FreeFlow.Cli.Status;

namespace FreeFlow.Cli.Top;

/// <summary>Rates, of two statuses: what has been counted in between, by the time in between.</summary>
internal sealed class TopModel
{
    private sealed record Counts(long Open, long OpenInRing, long Ended, long Ring, long Kernel, string Reason);

    private Dictionary<(string Program, string Container, string Service), Counts> _last = [];
    private double _lastAt;

    /// <summary>The rows of the last status.</summary>
    public IReadOnlyList<TopRow> Rows { get; private set; } = [];

    /// <summary>One line about the router.</summary>
    public string Headline { get; private set; } = "";

    /// <summary>Links to other hosts, in one line; empty without any.</summary>
    public string Links { get; private set; } = "";

    /// <summary>Takes another status.</summary>
    /// <param name="json">As the router sent it.</param>
    /// <param name="seconds">When that was, on a clock that never goes back.</param>
    public void Take(byte[] json, double seconds)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement, router = root.GetProperty("router");
        Dictionary<(string, string, string), Counts> now = [];
        foreach (JsonElement program in root.TryGetProperty("programs", out JsonElement programs) ? programs.EnumerateArray() : default)
        {
            string container = StatusCommand.Text(program, "container") is { Length: > 0 } name ? name : "-";
            string reason = program.GetProperty("reasons").EnumerateObject().OrderByDescending(one => one.Value.GetInt64()).Select(one => one.Name).FirstOrDefault() ?? "";
            foreach (JsonElement service in program.GetProperty("services").EnumerateArray())
            {
                long open = ProgramText.Count(service, "open"), inRing = ProgramText.Count(service, "open_in_ring");
                now[(StatusCommand.Text(program, "program"), container, ProgramText.Service(service))] = new(open, inRing, ProgramText.Count(service, "ended"),
                    ProgramText.Count(service, "ring_sent") + ProgramText.Count(service, "ring_received"), ProgramText.Count(service, "kernel_sent") + ProgramText.Count(service, "kernel_received"),
                    open > inRing ? reason : "");
            }
        }
        double between = _last.Count == 0 || seconds <= _lastAt ? double.PositiveInfinity : seconds - _lastAt;
        Rows = [.. now.Select(pair => Row(pair.Key, pair.Value, _last.GetValueOrDefault(pair.Key), between)).Where(row => row.Open > 0 || row.Ended > 0 || row.Ring + row.Kernel > 0)];
        (_last, _lastAt) = (now, seconds);
        Headline = $"router {StatusCommand.Text(router, "version")}, up {Units.Duration(router.GetProperty("uptime_s").GetDouble())}, {router.GetProperty("sessions").GetRawText()} processes, {router.GetProperty("joined_total").GetRawText()} joined";
        Links = root.TryGetProperty("cluster", out JsonElement cluster) && cluster.TryGetProperty("fabric", out JsonElement fabric)
            ? "links: " + string.Join(", ", fabric.GetProperty("links").EnumerateArray().Select(link => $"{StatusCommand.Text(link, "host")} ({link.GetProperty("streams").GetRawText()})")) : "";
    }

    private static TopRow Row((string Program, string Container, string Service) key, Counts now, Counts? last, double between) => new(
        key.Program, key.Container, key.Service, now.Open, now.OpenInRing, Math.Max(0, now.Ended - (last?.Ended ?? now.Ended)),
        last is null ? 0 : Math.Max(0, now.Ring - last.Ring) / between, last is null ? 0 : Math.Max(0, now.Kernel - last.Kernel) / between, now.Reason);
}
