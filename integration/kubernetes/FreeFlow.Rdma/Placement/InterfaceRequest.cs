using System.Text.Json.Serialization;

namespace FreeFlow.Rdma.Placement;

/// <summary>An RDMA interface that a pod asks for. Rates are Mbit/s; zero is none.</summary>
internal sealed record InterfaceRequest
{
    [JsonPropertyName("min_tx_rate")] public uint MinTxRate { get; init; }
    [JsonPropertyName("max_tx_rate")] public uint MaxTxRate { get; init; }
}
