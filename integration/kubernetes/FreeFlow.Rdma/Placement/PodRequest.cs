using System;
using System.Text.Json;

namespace FreeFlow.Rdma.Placement;

/// <summary>What a pod's annotation "rdma_interfaces_required" asks for.</summary>
internal static class PodRequest
{
    internal const string Annotation = "rdma_interfaces_required";

    /// <exception cref="JsonException">The text is not a list of interfaces.</exception>
    internal static InterfaceRequest[] Parse(string text)
    {
        InterfaceRequest[] requests = JsonSerializer.Deserialize(text, PlacementJson.Default.InterfaceRequestArray) ?? [];
        return Array.TrueForAll(requests, request => request is not null) ? requests : throw new JsonException("an interface is null.");
    }
}
