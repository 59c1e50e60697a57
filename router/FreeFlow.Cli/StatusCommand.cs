using System;
using System.Text;
using System.Text.Json;
using System.Threading;
using FreeFlow.Cli.Status;
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
            string text = options.Json ? Encoding.UTF8.GetString(json) + "\n" : Render(json, options.View);
            Console.Out.Write(options.Interval is not null && !options.Json && !Console.IsOutputRedirected ? HomeAndClear + text : text);
            if (options.Interval is not { } interval) return 0;
            Thread.Sleep(interval);
        }
    }

    /// <summary>The router's JSON as a headline, totals by program and service, and a table of connections.</summary>
    internal static string Render(byte[] json, StatusView? seen = null)
    {
        StatusView view = seen ?? new StatusView();
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

        if (ProgramText.Table(document.RootElement, view) is { Length: > 0 } programs) text.Append(programs).Append('\n');
        text.Append(ConnectionText.Table(document.RootElement.GetProperty("processes"), view));
        if (document.RootElement.TryGetProperty("verbs", out JsonElement verbs)) text.Append(VerbsText.Lines(verbs));
        return PrintableText.OfLines(text.ToString());
    }

    private static string Used(JsonElement user, string name) => $"{user.GetProperty(name).GetRawText()} of {user.GetProperty("max_" + name).GetRawText()}";

    internal static string Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : ""; // a router of an earlier version may not say it

    internal static string Bytes(JsonElement element, string name) => Units.Bytes(element.GetProperty(name).GetInt64());
}
