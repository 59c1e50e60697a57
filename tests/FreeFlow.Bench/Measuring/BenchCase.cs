namespace FreeFlow.Bench.Measuring;

/// <summary>Something to measure by two or three roads.</summary>
internal abstract class BenchCase
{
    /// <summary>The figures it yields, in the order of <see cref="Sample.Values"/>.</summary>
    internal abstract Metric[] Metrics { get; }

    /// <summary>The roads it has.</summary>
    internal virtual Road[] Roads => [Road.Kernel, Road.FreeFlow];

    /// <summary>False where FreeFlow is there to stay out of the way, so that no byte is expected in a ring.</summary>
    internal virtual bool RingExpected => true;

    /// <summary>The first metric's name, by which the case is chosen.</summary>
    internal string Name => Metrics[0].Name;

    /// <summary>Once, before the runs.</summary>
    internal virtual void Prepare(Testbed testbed)
    {
    }

    /// <summary>One run.</summary>
    internal abstract Sample Measure(Testbed testbed, Road road);
}
