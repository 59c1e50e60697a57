using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>From spawning /bin/true to its end, with the library preloaded into it or not.</summary>
internal sealed class StartCase : BenchCase
{
    internal override Metric[] Metrics { get; } = [new Metric("start-true", "µs", false, Target.AtMostMore(120, "µs"))];

    internal override bool RingExpected => false;

    internal override Sample Measure(Testbed testbed, Road road)
    {
        CommandLine command = new(Testbed.Probe, "start", testbed.SecondsText, road == Road.FreeFlow ? Artifacts.PreloadLibrary : "", "/bin/true");
        return new Sample(double.NaN, 0, Text.Find(testbed.Pair.First.Run(command).Succeeded("probe start").Output, "^([0-9.]+)"));
    }
}
