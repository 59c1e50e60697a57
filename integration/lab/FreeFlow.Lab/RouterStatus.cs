using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FreeFlow.Lab;

/// <summary>What <c>freeflow status --json</c> says at one moment.</summary>
public sealed record RouterStatus
{
    /// <summary>Bytes that this router's links have carried to other hosts and from there; 0 without a fabric.</summary>
    [JsonIgnore]
    public long FabricBytes => Cluster.ValueKind == JsonValueKind.Object && Cluster.TryGetProperty("fabric", out JsonElement fabric)
        ? fabric.GetProperty("bytes_sent").GetInt64() + fabric.GetProperty("bytes_received").GetInt64() : 0;

    /// <summary>The router itself: version, pid, uptime_s, sessions, joined_total, refused by reason.</summary>
    [JsonPropertyName("router")] public JsonElement Router { get; init; }

    /// <summary>Locations and the fabric; of no kind without them.</summary>
    [JsonPropertyName("cluster")] public JsonElement Cluster { get; init; }

    /// <summary>Connected processes.</summary>
    [JsonPropertyName("processes")] public ProcessStatus[] Processes { get; init; } = [];

    /// <summary>Queue pairs and regions of verbs, with their totals; of no kind from a router that has none.</summary>
    [JsonPropertyName("verbs")] public JsonElement Verbs { get; init; }

    /// <summary>Queue pairs that there are now.</summary>
    [JsonIgnore] public int VerbsQueuePairs => Verbs.GetProperty("queue_pairs").GetArrayLength();

    /// <summary>Programs that listen by rdma_cm, and connections that it has made since the router started.</summary>
    [JsonIgnore] public int VerbsListeners => Verbs.GetProperty("identifiers").EnumerateArray().Count(identifier => identifier.GetProperty("state").GetString() == "listening");
    [JsonIgnore] public long VerbsConnectedTotal => Verbs.GetProperty("connected_total").GetInt64();

    /// <summary>Payload of messages between queue pairs on this host since the router started.</summary>
    [JsonIgnore] public long VerbsMessageBytesTotal => Verbs.GetProperty("message_bytes_total").GetInt64();

    /// <summary>Bytes written and read by RDMA, and by atomic operations, likewise.</summary>
    [JsonIgnore] public long VerbsRemoteBytesTotal => Verbs.GetProperty("remote_bytes_total").GetInt64();

    /// <summary>Connections that were given a ring since the router started.</summary>
    [JsonIgnore] public long JoinedTotal => Router.GetProperty("joined_total").GetInt64();

    /// <summary>Bytes sent into rings since the router started, those of connections that are gone included.</summary>
    [JsonIgnore] public long RingBytesTotal => Router.GetProperty("ring_bytes_total").GetInt64();

    /// <summary>Connections that FREEFLOW_STRICT has refused since the router started.</summary>
    [JsonIgnore] public long StrictlyRefusedTotal => Router.GetProperty("strictly_refused_total").GetInt64();

    /// <summary>Bytes sent into rings by all living connections; a byte is counted once, at its sender.</summary>
    [JsonIgnore] public long RingBytes => Processes.SelectMany(process => process.Connections).Sum(connection => connection.RingSent);

    /// <summary>Asks the router on <paramref name="socketPath"/>; throws with its message when there is no answer.</summary>
    public static RouterStatus Query(string socketPath)
    {
        CompletedProcess run = Ask(socketPath).Succeeded("freeflow status");
        return Parse(run.Output);
    }

    /// <summary>Asks; null when there is no answer.</summary>
    public static RouterStatus? TryQuery(string socketPath)
    {
        CompletedProcess run = Ask(socketPath);
        return run.ExitCode == 0 ? Parse(run.Output) : null;
    }

    private static CompletedProcess Ask(string socketPath)
    {
        if (!File.Exists(Artifacts.Cli)) throw new LabException($"{Artifacts.Cli} is missing: run 'make build'.");
        using LabProcess process = new([Artifacts.Cli, "status", "--json", "--router", socketPath], "freeflow status", nested: false);
        return process.Wait(TimeSpan.FromSeconds(10));
    }

    /// <summary>Reads what <c>freeflow status --json</c> printed.</summary>
    public static RouterStatus Parse(string text) =>
        JsonSerializer.Deserialize(text, StatusJson.Default.RouterStatus) ?? throw new LabException("freeflow status --json printed null.");
}
