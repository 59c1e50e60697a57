using System.Text.Json;
using static FreeFlow.Cli.StatusCommand;

namespace FreeFlow.Cli;

/// <summary>The status's part about verbs: one line a queue pair, one a shared region, one a connection identifier; nothing if there are none.</summary>
internal static class VerbsText
{
    public static string Lines(JsonElement verbs)
    {
        Table pairs = new("PROGRAM", "PID", "QP", "LOCAL", "REMOTE", "PEER QP", "WAY", ">MESSAGES", ">BYTES", ">RDMA", ">BYTES", "REASON");
        foreach (JsonElement pair in verbs.GetProperty("queue_pairs").EnumerateArray())
        {
            pairs.Add(Text(pair, "program"), Number(pair, "pid"), Number(pair, "number"), OrDash(pair, "local"), OrDash(pair, "remote"), Number(pair, "peer"), Text(pair, "way"),
                Number(pair, "messages"), Bytes(pair, "message_bytes"), Number(pair, "remote_operations"), Bytes(pair, "remote_bytes"), Text(pair, "reason"));
        }
        Table regions = new("PROGRAM", "PID", ">REGION", ">WHOLE PAGES", ">EDGES", "WAY");
        foreach (JsonElement region in verbs.GetProperty("regions").EnumerateArray())
        {
            regions.Add(Text(region, "program"), Number(region, "pid"), Bytes(region, "bytes"), Number(region, "whole_pages"), Number(region, "edge_pages"),
                Text(region, "way") + (region.GetProperty("granted").GetBoolean() ? "" : " (nobody has asked)"));
        }
        Table identifiers = new("PROGRAM", "PID", "SPACE", "LOCAL", "REMOTE", "STATE");
        // An older router has none.
        if (verbs.TryGetProperty("identifiers", out JsonElement all))
            foreach (JsonElement identifier in all.EnumerateArray())
                identifiers.Add(Text(identifier, "program"), Number(identifier, "pid"), Text(identifier, "space"), OrDash(identifier, "local"), OrDash(identifier, "remote"), Text(identifier, "state"));
        return (pairs.Rows == 0 ? "" : "\n" + pairs) + (regions.Rows == 0 ? "" : "\n" + regions) + (identifiers.Rows == 0 ? "" : "\n" + identifiers);
    }

    private static string OrDash(JsonElement element, string name) => Text(element, name) is { Length: > 0 } text ? text : "-";

    private static string Number(JsonElement element, string name) => element.GetProperty(name).GetRawText();
}
