using System.Collections.Generic;
using System.Text.Json.Serialization;

// The Kubernetes API's objects, as far as they are used: one shape serves pods, nodes, lists and errors.
namespace FreeFlow.Hunter.Kubernetes;

internal sealed class ObjectList
{
    [JsonPropertyName("metadata")] public ListMetadata Metadata { get; set; } = new();
    [JsonPropertyName("items")] public Resource[]? Items { get; set; }
}

internal sealed class ListMetadata
{
    [JsonPropertyName("resourceVersion")] public string? ResourceVersion { get; set; }
    [JsonPropertyName("continue")] public string? Continue { get; set; }
}

internal sealed class Resource
{
    [JsonPropertyName("metadata")] public Metadata Metadata { get; set; } = new();
    [JsonPropertyName("spec")] public Spec? Spec { get; set; }
    [JsonPropertyName("status")] public Status? Status { get; set; }
}

internal sealed class Metadata
{
    [JsonPropertyName("uid")] public string? Uid { get; set; }
    [JsonPropertyName("name")] public string? Name { get; set; }
    [JsonPropertyName("namespace")] public string? Namespace { get; set; }
    [JsonPropertyName("resourceVersion")] public string? ResourceVersion { get; set; }
    [JsonPropertyName("labels")] public Dictionary<string, string>? Labels { get; set; }
}

internal sealed class Spec
{
    [JsonPropertyName("nodeName")] public string? NodeName { get; set; }
    [JsonPropertyName("hostNetwork")] public bool HostNetwork { get; set; }
}

internal sealed class Status
{
    [JsonPropertyName("phase")] public string? Phase { get; set; }
    [JsonPropertyName("podIP")] public string? PodIP { get; set; }
    [JsonPropertyName("podIPs")] public PodIP[]? PodIPs { get; set; }
    [JsonPropertyName("hostIP")] public string? HostIP { get; set; }
    [JsonPropertyName("addresses")] public NodeAddress[]? Addresses { get; set; }
}

internal sealed class PodIP
{
    [JsonPropertyName("ip")] public string? IP { get; set; }
}

internal sealed class NodeAddress
{
    [JsonPropertyName("type")] public string? Type { get; set; }
    [JsonPropertyName("address")] public string? Address { get; set; }
}

/// <summary>A line of a watch; of an object only what its type says can be read at once.</summary>
internal sealed class WatchLine
{
    [JsonPropertyName("type")] public string? Type { get; set; }
    [JsonPropertyName("object")] public System.Text.Json.JsonElement Object { get; set; }
}

/// <summary>The API's answer to a call that failed: a "Status" object.</summary>
internal sealed class Failure
{
    [JsonPropertyName("code")] public int Code { get; set; }
    [JsonPropertyName("message")] public string? Message { get; set; }
}

[JsonSerializable(typeof(ObjectList))]
[JsonSerializable(typeof(Resource))]
[JsonSerializable(typeof(WatchLine))]
[JsonSerializable(typeof(Failure))]
internal sealed partial class KubernetesJson : JsonSerializerContext;
