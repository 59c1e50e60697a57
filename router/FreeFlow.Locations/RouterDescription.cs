using System;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FreeFlow.Locations;

/// <summary>The value of <c>FreeFlow/v1/routers/&lt;hostIP&gt;</c>: how the other routers reach this one. Fields that a reader does not know are skipped.</summary>
public sealed record RouterDescription
{
    /// <summary>TCP port of the fabric on the host's address; 0 = none.</summary>
    [JsonPropertyName("port")] public int Port { get; init; }

    /// <summary>Transports it speaks, best first, for example "rdma", "tcp".</summary>
    [JsonPropertyName("capabilities")] public string[] Capabilities { get; init; } = [];

    /// <summary>Version of the router.</summary>
    [JsonPropertyName("version")] public string? Version { get; init; }

    /// <summary>True with equal content; the records' own equality would compare the arrays' identity.</summary>
    public bool SameAs(RouterDescription? other) =>
        other is not null && Port == other.Port && Version == other.Version && Capabilities.AsSpan().SequenceEqual(other.Capabilities);

    /// <summary>The JSON to publish.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, LocationJson.Default.RouterDescription);

    /// <summary>Null if the text is not such a description: another node's mistake must not stop this one.</summary>
    public static RouterDescription? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            RouterDescription? description = JsonSerializer.Deserialize(json, LocationJson.Default.RouterDescription);
            if (description is not { Port: >= 0 and <= 65535 }) return null;
            // A field that is left out is null in spite of its initialiser: the generated code sets every property that can only be initialised.
            return description.Capabilities is null ? description with { Capabilities = [] } : description;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
