namespace FreeFlow.Bench;

/// <summary>What redis-benchmark and the counters said of one run.</summary>
internal sealed record DemoSide
{
    /// <summary>Requests made.</summary>
    public required long Requests { get; init; }

    /// <summary>Throughput.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Half of all requests took less.</summary>
    public required double P50Milliseconds { get; init; }

    /// <summary>99 % of all requests took less.</summary>
    public required double P99Milliseconds { get; init; }

    /// <summary>User and system time of redis-server per request.</summary>
    public required double ServerCpuMicroseconds { get; init; }

    /// <summary>User and system time of redis-benchmark per request.</summary>
    public required double ClientCpuMicroseconds { get; init; }

    /// <summary>Bytes both containers received on eth0, headers included.</summary>
    public required long KernelBytes { get; init; }

    /// <summary>Bytes sent into rings by both sides, at least.</summary>
    public required long SharedMemoryBytes { get; init; }
}
