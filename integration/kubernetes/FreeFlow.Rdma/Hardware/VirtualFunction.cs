using System.Text.Json.Serialization;

namespace FreeFlow.Rdma.Hardware;

/// <summary>A virtual function as the hardware daemon tells of it. Rates are Mbit/s; a maximum of zero is none.</summary>
internal sealed record VirtualFunction
{
    [JsonPropertyName("vf")] public uint Number { get; init; }
    [JsonPropertyName("mac")] public string Mac { get; init; } = "";
    [JsonPropertyName("vlan")] public uint Vlan { get; init; }
    [JsonPropertyName("qos")] public uint Qos { get; init; }
    [JsonPropertyName("vlan_proto")] public string VlanProtocol { get; init; } = "";
    [JsonPropertyName("spoof_check")] public string SpoofCheck { get; init; } = "";
    [JsonPropertyName("trust")] public string Trust { get; init; } = "";
    [JsonPropertyName("link_state")] public string LinkState { get; init; } = "";
    [JsonPropertyName("min_tx_rate")] public uint MinTxRate { get; init; }
    [JsonPropertyName("max_tx_rate")] public uint MaxTxRate { get; init; }
    [JsonPropertyName("vgt_plus")] public string VgtPlus { get; init; } = "";
    [JsonPropertyName("rate_group")] public uint RateGroup { get; init; }

    /// <summary>Whether a container has it: its network device is in another namespace.</summary>
    [JsonPropertyName("allocated")] public bool IsAllocated { get; init; }
}
