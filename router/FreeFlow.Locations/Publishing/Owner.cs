using System;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FreeFlow.Locations.Publishing;

/// <summary>The value of an owner's key, <c>FreeFlow/v1/hunters/&lt;hostIP&gt;</c>.</summary>
internal sealed record Owner
{
    [JsonPropertyName("lease")] public string Lease { get; init; } = "";

    [JsonPropertyName("name")] public string? Name { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, OwnerJson.Default.Owner);

    /// <summary>Zero if the text is no owner.</summary>
    public static long LeaseOf(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, OwnerJson.Default.Owner) is { } owner && long.TryParse(owner.Lease, out long lease) ? lease : 0;
        }
        catch (JsonException)
        {
            return 0;
        }
    }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Owner))]
internal sealed partial class OwnerJson : JsonSerializerContext;
