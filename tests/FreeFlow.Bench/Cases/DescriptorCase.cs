using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>Calls on a descriptor that is none of FreeFlow's: write and read of one byte on a pipe.</summary>
internal sealed class DescriptorCase : BenchCase
{
    internal override Metric[] Metrics { get; } = [new Metric("descriptor-calls", "ns of CPU", false, Target.WithinNoise)];

    internal override bool RingExpected => false;

    internal override Sample Measure(Testbed testbed, Road road)
    {
        CommandLine command = new(Testbed.Probe, "descriptor", testbed.SecondsText);
        string output = testbed.Pair.First.Run(command.WithFreeFlow(road == Road.FreeFlow)).Succeeded("probe descriptor").Output;
        double nanoseconds = Text.Find(output, "^([0-9.]+)");
        return new Sample(nanoseconds / 1000, 0, nanoseconds);
    }
}
