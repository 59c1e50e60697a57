namespace FreeFlow.Bench.Hosts;

/// <summary>Something to measure between two hosts.</summary>
internal abstract class HostCase
{
    /// <summary>The figures it yields, in the order of <see cref="HostSample.Values"/>.</summary>
    internal abstract HostMetric[] Metrics { get; }

    /// <summary>Unit of <see cref="HostSample.Cpu"/>.</summary>
    internal abstract string CpuUnit { get; }

    /// <summary>One run by one road.</summary>
    internal abstract HostSample Measure(HostBed bed, HostRoad road);
}
