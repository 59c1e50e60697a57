using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Bench.Hosts;

/// <summary>One line of the table: a metric over all runs.</summary>
internal sealed class HostRow
{
    internal HostRow(HostCase @case, int index, IReadOnlyDictionary<HostRoad, List<HostSample>> samples)
    {
        Metric = @case.Metrics[index];
        CpuUnit = @case.CpuUnit;
        Runs = samples.Values.Min(list => list.Count);
        Medians = samples.ToDictionary(pair => pair.Key, pair => Text.Median(pair.Value.Select(sample => sample.Values[index]).ToArray()));
        Cpu = samples.ToDictionary(pair => pair.Key, pair => Text.Median(pair.Value.Select(sample => sample.Cpu).ToArray()));
        FabricBytes = samples[HostRoad.Fabric].Concat(samples[HostRoad.SecureFabric]).Min(sample => sample.FabricBytes);
    }

    internal HostMetric Metric { get; }

    internal string CpuUnit { get; }

    /// <summary>Rounds measured.</summary>
    internal int Runs { get; }

    internal IReadOnlyDictionary<HostRoad, double> Medians { get; }

    internal IReadOnlyDictionary<HostRoad, double> Cpu { get; }

    /// <summary>Bytes that the routers carried in that run that had fewest.</summary>
    internal long FabricBytes { get; }

    internal bool Reached => Metric.Reached(Medians);
}
