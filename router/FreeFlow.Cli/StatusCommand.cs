using System;
using System.Text;
using System.Text.Json;
using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary><c>freeflow status</c>: asks the router and shows its answer.</summary>
internal static class StatusCommand
{
    private const string HomeAndClear = "\u001b[H\u001b[J";

    public static int Execute(StatusOptions options)
    {
        while (true)
        {
            byte[] json = RouterClient.AskStatus(options.Router);
            string text = options.Json ? Encoding.UTF8.GetString(json) + "\n" : Render(json);
            Console.Out.Write(options.Interval is not null && !options.Json && !Console.IsOutputRedirected ? HomeAndClear + text : text);
            if (options.Interval is not { } interval) return 0;
            Thread.Sleep(interval);
        }
    }

    /// <summary>The router's JSON as a headline and a table with one line per connection.</summary>
    internal static string Render(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement router = document.RootElement.GetProperty("router");
        StringBuilder text = new();
        text.Append($"router {router.GetProperty("version").GetString()}, pid {router.GetProperty("pid").GetInt64()}, up {Units.Duration(router.GetProperty("uptime_s").GetDouble())}, ");
        text.Append($"{router.GetProperty("sessions").GetInt64()} processes, {router.GetProperty("joined_total").GetInt64()} connections joined so far");
        char separator = ';';
        foreach (JsonProperty refused in router.GetProperty("refused").EnumerateObject())
        {
            text.Append($"{separator} {refused.Value.GetInt64()} refused: {refused.Name}");
            separator = ',';
        }
        long strictly = router.GetProperty("strictly_refused_total").GetInt64();
        if (strictly > 0) text.Append($"{separator} {strictly} refused by FREEFLOW_STRICT");
        text.Append('\n');
        if (document.RootElement.TryGetProperty("cluster", out JsonElement cluster)) text.Append(ClusterText.Lines(cluster));
        if (document.RootElement.TryGetProperty("users", out JsonElement users))
        {
            foreach (JsonElement user in users.EnumerateArray())
                text.Append($"user {user.GetProperty("uid").GetRawText()}: {Used(user, "sessions")} processes, {Used(user, "connections")} connections, {Used(user, "rings")} ends of rings\n");
        }
        text.Append('\n');

        Table table = new("PROGRAM", "PID", "CONTAINER", "LOCAL", "REMOTE", "STATE", ">KERNEL OUT", ">IN", ">RING OUT", ">IN", ">AGE", "REASON");
        foreach (JsonElement process in document.RootElement.GetProperty("processes").EnumerateArray())
        {
            string program = process.GetProperty("program").GetString() ?? "";
            string pid = process.GetProperty("pid").GetRawText();
            string container = process.GetProperty("container").GetString() is { Length: > 0 } name ? name : "-";
            JsonElement connections = process.GetProperty("connections");
            if (connections.GetArrayLength() == 0) table.Add(program, pid, container, "-", "-", "-", "-", "-", "-", "-", "-", "no connections");
            foreach (JsonElement connection in connections.EnumerateArray())
            {
                table.Add(program, pid, container, Text(connection, "local"), Text(connection, "remote"), Text(connection, "state"),
                    Bytes(connection, "kernel_sent"), Bytes(connection, "kernel_received"), Bytes(connection, "ring_sent"), Bytes(connection, "ring_received"),
                    Units.Duration(connection.GetProperty("age_s").GetDouble()), Text(connection, "reason") + (Text(connection, "rule") is { Length: > 0 } rule && rule != "default" ? $" (rule {rule})" : "") + (Text(connection, "strictly_refused").Length > 0 ? " (refused: FREEFLOW_STRICT)" : ""));
            }
        }
        text.Append(table.Rows == 0 ? "no processes of yours are connected\n" : table.ToString());
        if (document.RootElement.TryGetProperty("verbs", out JsonElement verbs)) text.Append(VerbsText.Lines(verbs));
        return PrintableText.OfLines(text.ToString());
    }

    private static string Used(JsonElement user, string name) => $"{user.GetProperty(name).GetRawText()} of {user.GetProperty("max_" + name).GetRawText()}";

    internal static string Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : ""; // a router of an earlier version may not say it

    internal static string Bytes(JsonElement element, string name) => Units.Bytes(element.GetProperty(name).GetInt64());
}
