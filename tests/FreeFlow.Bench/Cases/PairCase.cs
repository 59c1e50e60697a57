using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>CPU time of one send and one receive of 64 bytes, both ends in one thread, so that nobody ever waits.</summary>
internal sealed class PairCase : BenchCase
{
    internal override Metric[] Metrics { get; } = [new Metric("pair-64", "ns of CPU", false, Target.AtMost(80, "ns"))];

    internal override Road[] Roads => [Road.Kernel, Road.Unix, Road.FreeFlow];

    internal override Sample Measure(Testbed testbed, Road road)
    {
        using RingSampler? sampler = road == Road.FreeFlow ? new RingSampler(testbed.Pair.SocketPath) : null;
        CommandLine command = new(Testbed.Probe, ["pair", .. testbed.Where(road, testbed.NextPort()), testbed.SecondsText]);
        string output = testbed.Pair.First.Run(command.WithFreeFlow(road == Road.FreeFlow)).Succeeded("probe pair").Output;
        double nanoseconds = Text.Find(output, "^([0-9.]+)");
        return new Sample(nanoseconds / 1000, sampler?.RingBytes ?? 0, nanoseconds);
    }
}
