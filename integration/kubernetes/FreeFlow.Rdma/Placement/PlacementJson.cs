using System.Text.Json.Serialization;

namespace FreeFlow.Rdma.Placement;

/// <summary>The wire form of a pod's annotation.</summary>
[JsonSerializable(typeof(InterfaceRequest[]))]
internal sealed partial class PlacementJson : JsonSerializerContext;
