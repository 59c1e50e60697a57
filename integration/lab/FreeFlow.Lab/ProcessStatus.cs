using System.Text.Json.Serialization;

namespace FreeFlow.Lab;

/// <summary>One connected process as <c>freeflow status --json</c> shows it.</summary>
public sealed record ProcessStatus
{
    /// <summary>Pid as the router sees it.</summary>
    [JsonPropertyName("pid")] public int Pid { get; init; }

    /// <summary>Program name.</summary>
    [JsonPropertyName("program")] public string Program { get; init; } = "";

    /// <summary>Container name the process gave.</summary>
    [JsonPropertyName("container")] public string Container { get; init; } = "";

    /// <summary>User id, by the kernel.</summary>
    [JsonPropertyName("uid")] public long UserId { get; init; }

    /// <summary>Its connections.</summary>
    [JsonPropertyName("connections")] public ConnectionStatus[] Connections { get; init; } = [];
}
