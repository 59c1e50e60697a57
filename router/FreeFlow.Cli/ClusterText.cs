using System.Linq;
using System.Text;
using System.Text.Json;

namespace FreeFlow.Cli;

/// <summary>The other hosts in the headline of <c>freeflow status</c>; nothing on a single host.</summary>
internal static class ClusterText
{
    /// <summary>A line or two, or none.</summary>
    public static string Lines(JsonElement cluster)
    {
        JsonElement locations = cluster.GetProperty("locations");
        string state = locations.GetProperty("state").GetString() ?? "";
        if (state == "none") return "";
        StringBuilder text = new($"locations from {locations.GetProperty("source").GetString()}: ");
        text.Append(state switch
        {
            "starting" => "nothing learnt yet",
            "stale" => $"outage, the view is {Units.Duration(locations.GetProperty("age_s").GetDouble())} old",
            _ => state,
        });
        text.Append($", {locations.GetProperty("addresses").GetInt64()} addresses on {locations.GetProperty("hosts").GetInt64()} hosts, revision {locations.GetProperty("revision").GetInt64()}");
        if (locations.GetProperty("detail").GetString() is { Length: > 0 } detail) text.Append($" ({detail})");
        text.Append(cluster.GetProperty("host").GetString() is { Length: > 0 } host ? $"; this host is {host}" : "; this host's address is not known");
        if (cluster.TryGetProperty("published", out JsonElement published))
        {
            text.Append(published.GetProperty("lost").GetInt64() > 0 ? ", another router publishes that address"
                : published.GetProperty("problem").GetString() is { Length: > 0 } || published.GetProperty("held").GetInt64() == 0 ? ", not published" : ", published");
        }
        text.Append('\n');
        if (cluster.TryGetProperty("fabric", out JsonElement fabric)) AppendFabric(text, fabric);
        return text.ToString();
    }

    private static void AppendFabric(StringBuilder text, JsonElement fabric)
    {
        text.Append($"fabric: {fabric.GetProperty("joined").GetInt64()} connections with other hosts joined so far, {Units.Bytes(fabric.GetProperty("bytes_sent").GetInt64())} out, {Units.Bytes(fabric.GetProperty("bytes_received").GetInt64())} in; ");
        string[] links = [.. fabric.GetProperty("links").EnumerateArray().Select(link => $"{link.GetProperty("host").GetString()} ({link.GetProperty("streams").GetInt32()} streams)")];
        text.Append(links.Length == 0 ? "no other host in use" : string.Join(", ", links)).Append('\n');
    }
}
