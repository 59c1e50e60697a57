using System;
using System.Globalization;
using System.Threading;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>1,000 connections that were used and are now idle: CPU of all sides, and memory that each adds, pages shared between the sides counted once.</summary>
internal sealed class IdleCase : BenchCase
{
    private const int Connections = 1000;

    internal override Metric[] Metrics { get; } =
    [
        new Metric("idle-1000-memory", "KiB/connection", false, Target.AtMost(16, "KiB")),
        new Metric("idle-1000-cpu", "% of a core", false, Target.AtMost(0.1, "%")),
    ];

    internal override Sample Measure(Testbed testbed, Road road)
    {
        int port = testbed.NextPort();
        bool accelerated = road == Road.FreeFlow;
        using LabProcess server = testbed.Pair.First.Start(new CommandLine(Testbed.Probe, ["hold", .. testbed.Where(road, port)]).WithFreeFlow(accelerated));
        testbed.Pair.First.WaitForPort(port, server);
        CommandLine command = new(Testbed.Probe, ["idle", .. testbed.Where(road, port), Connections.ToString(CultureInfo.InvariantCulture)]);
        using LabProcess client = testbed.Pair.Second.Start(command.WithFreeFlow(accelerated));
        client.WaitForOutput("one", TimeSpan.FromSeconds(10));
        long before = Memory(testbed, server, client);
        client.SendLine();
        client.WaitForOutput("all", TimeSpan.FromSeconds(60));
        Thread.Sleep(500);
        double cpu = Cpu(testbed, server, client);
        Thread.Sleep(TimeSpan.FromSeconds(testbed.Seconds));
        cpu = Cpu(testbed, server, client) - cpu;
        long memory = Memory(testbed, server, client) - before;
        long ring = accelerated ? RouterStatus.Query(testbed.Pair.SocketPath).RingBytes : 0;
        return new Sample(double.NaN, ring, (double)memory / Connections, 100 * cpu / testbed.Seconds);
    }

    private static long Memory(Testbed testbed, LabProcess server, LabProcess client) =>
        ProcessTree.MemoryKib(server.Pid).Pss + ProcessTree.MemoryKib(client.Pid).Pss + ProcessTree.MemoryKib(testbed.Router.Process.Pid).Pss;

    private static double Cpu(Testbed testbed, LabProcess server, LabProcess client) => server.CpuSeconds + client.CpuSeconds + testbed.Router.Process.CpuSeconds;
}
