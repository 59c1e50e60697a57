using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace FreeFlow.Rdma.Hardware;

/// <summary>A network card with virtual functions as the hardware daemon tells of it. Rates are Mbit/s.</summary>
internal sealed record PhysicalFunction
{
    [JsonPropertyName("name")] public string Name { get; init; } = "";

    /// <summary>What the virtual functions are guaranteed, together.</summary>
    [JsonPropertyName("used_tx_rate")] public uint UsedTxRate { get; init; }
    [JsonPropertyName("capacity_tx_rate")] public uint CapacityTxRate { get; init; }
    [JsonPropertyName("used_vfs")] public uint UsedFunctions { get; init; }
    [JsonPropertyName("capacity_vfs")] public uint CapacityFunctions { get; init; }
    [JsonPropertyName("vfs")] public IReadOnlyList<VirtualFunction> Functions { get; init; } = [];
}
