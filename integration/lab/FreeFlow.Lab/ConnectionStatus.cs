using System.Text.Json.Serialization;

namespace FreeFlow.Lab;

/// <summary>One end of a connection as <c>freeflow status --json</c> shows it. Counters are bytes since the connection began.</summary>
public sealed record ConnectionStatus
{
    /// <summary>Address and port of this end.</summary>
    [JsonPropertyName("local")] public string Local { get; init; } = "";

    /// <summary>Address and port of the other end.</summary>
    [JsonPropertyName("remote")] public string Remote { get; init; } = "";

    /// <summary>Descriptor in the process.</summary>
    [JsonPropertyName("fd")] public int Descriptor { get; init; }

    /// <summary>State, in words.</summary>
    [JsonPropertyName("state")] public string State { get; init; } = "";

    /// <summary>Why it is not further, in words.</summary>
    [JsonPropertyName("reason")] public string Reason { get; init; } = "";

    /// <summary>Name of the policy's rule that decided; empty before.</summary>
    [JsonPropertyName("rule")] public string Rule { get; init; } = "";

    /// <summary>The reason for which FREEFLOW_STRICT has refused it; empty if it has not.</summary>
    [JsonPropertyName("strictly_refused")] public string StrictlyRefused { get; init; } = "";

    /// <summary>Sent through the kernel.</summary>
    [JsonPropertyName("kernel_sent")] public long KernelSent { get; init; }

    /// <summary>Received through the kernel.</summary>
    [JsonPropertyName("kernel_received")] public long KernelReceived { get; init; }

    /// <summary>Sent through the ring.</summary>
    [JsonPropertyName("ring_sent")] public long RingSent { get; init; }

    /// <summary>Received through the ring.</summary>
    [JsonPropertyName("ring_received")] public long RingReceived { get; init; }

    /// <summary>Seconds since connect or accept.</summary>
    [JsonPropertyName("age_s")] public double AgeSeconds { get; init; }
}
