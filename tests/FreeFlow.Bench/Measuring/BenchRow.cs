using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Bench.Measuring;

/// <summary>One line of the result: a metric over all runs.</summary>
internal sealed class BenchRow
{
    private readonly IReadOnlyDictionary<Road, List<Sample>> _samples;

    internal BenchRow(BenchCase @case, int index, IReadOnlyDictionary<Road, List<Sample>> samples)
    {
        _samples = samples;
        Metric = @case.Metrics[index];
        Runs = samples.Values.Min(list => list.Count);
        RingBytes = samples[Road.FreeFlow].Min(sample => sample.RingBytes);
        Accelerated = RingBytes > 0 || !@case.RingExpected;
        double kernel = MedianOf(Road.Kernel, index);
        double freeflow = Accelerated ? MedianOf(Road.FreeFlow, index) : double.NaN;
        double ratio = Metric.MoreIsBetter ? freeflow / kernel : kernel / freeflow;
        IEnumerable<double> plain = samples[Road.Kernel].Select(sample => sample.Values[index]);
        Medians = new Medians(kernel, MedianOf(Road.Unix, index), freeflow, ratio, Metric.MoreIsBetter ? plain.Min() : plain.Max());
    }

    internal Metric Metric { get; }

    internal Medians Medians { get; }

    /// <summary>Rounds measured.</summary>
    internal int Runs { get; }

    /// <summary>Bytes through rings in that FreeFlow run that had fewest: one run without any makes the figure worthless.</summary>
    internal long RingBytes { get; }

    /// <summary>False: bytes should have gone through a ring and did not, so there is no FreeFlow figure.</summary>
    internal bool Accelerated { get; }

    /// <summary>True when the target is reached.</summary>
    internal bool Reached => Accelerated && Metric.Target.Reached(Medians);

    /// <summary>CPU time of both sides per operation, median, in µs; NaN when unknown.</summary>
    internal double Cpu(Road road) =>
        road == Road.FreeFlow && !Accelerated ? double.NaN : Text.Median(Of(road).Select(sample => sample.CpuMicroseconds).ToArray());

    private double MedianOf(Road road, int index) => Text.Median(Of(road).Select(sample => sample.Values[index]).ToArray());

    private IEnumerable<Sample> Of(Road road) => _samples.TryGetValue(road, out List<Sample>? list) ? list : [];
}
