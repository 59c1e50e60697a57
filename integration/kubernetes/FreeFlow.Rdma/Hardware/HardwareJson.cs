using System.Text.Json.Serialization;

namespace FreeFlow.Rdma.Hardware;

/// <summary>The wire form of a node's functions.</summary>
[JsonSerializable(typeof(PhysicalFunction[]))]
internal sealed partial class HardwareJson : JsonSerializerContext;
