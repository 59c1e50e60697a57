using System;
using System.Globalization;
using System.Linq;
using System.Threading;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Sizes;

/// <summary>One crowd of connections to one server, through the kernel or under FreeFlow: what it holds empty, open, idle, after a burst, and closed.</summary>
/// <param name="Accelerated">Ends of connections that are in rings once each has carried its burst.</param>
internal sealed record SizeRun(int Processes, int Connections, int Accelerated, Footprint Empty, Footprint Open, Footprint Idle, Footprint Burst, Footprint Later, Footprint Closed)
{
    /// <summary>Bytes of the burst on each connection, each way in blocks of 16 KiB: a server that answers a block at a time touches that much of a ring.</summary>
    internal const int BurstBytes = 64 * 1024;

    internal const double IdleSeconds = 5;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);
    private static int s_port = 8100;

    internal static SizeRun Measure(ContainerPair pair, RouterProcess router, bool accelerated, bool spinning, int processes, int connections, string step)
    {
        CommandLine Prepared(CommandLine command) => spinning ? command.WithFreeFlow(accelerated) : command.WithFreeFlow(accelerated).With("FREEFLOW_SPIN_US", "0");
        int port = s_port++;
        Progress.Show(step, "starting");
        using LabProcess server = pair.First.Start(Prepared(new CommandLine(Measuring.Testbed.Probe, "hold", pair.First.Address4, Text(port))));
        pair.First.WaitForPort(port, server);
        CommandLine command = new(Measuring.Testbed.Probe, "crowd", pair.First.Address4, Text(port), Text(processes), Text(connections / processes), Text(BurstBytes));
        using LabProcess client = pair.Second.Start(Prepared(command));
        Footprint Now() => Footprint.Take(client, server, accelerated ? router : null);
        WaitForDone(client, 1);
        Footprint empty = Now();
        Progress.Show(step, "opening");
        Order(client, 2);
        Footprint open = Now();
        Progress.Show(step, "idle");
        Footprint before = Now();
        Thread.Sleep(TimeSpan.FromSeconds(IdleSeconds));
        Footprint idle = Now();
        idle = idle with { CpuSeconds = idle.CpuSeconds - before.CpuSeconds };
        Progress.Show(step, "a burst on each");
        Order(client, 3);
        Footprint burst = Now();
        int ends = accelerated ? router.Status().Processes.SelectMany(process => process.Connections).Count(end => end is { State: "ring (shm)", RingSent: > 0 }) : 0;
        Progress.Show(step, "idle again");
        Thread.Sleep(TimeSpan.FromSeconds(IdleSeconds));
        Footprint later = Now();
        Progress.Show(step, "closing");
        Order(client, 4);
        Thread.Sleep(TimeSpan.FromSeconds(3));
        return new SizeRun(processes, connections, ends, empty, open, idle, burst, later, Now());
    }

    private static void Order(LabProcess client, int answer)
    {
        client.SendLine();
        WaitForDone(client, answer);
    }

    private static void WaitForDone(LabProcess client, int times)
    {
        bool Seen() => client.Output.Split("done").Length > times;
        if (!Waiting.Until(() => Seen() || client.HasExited, s_patience) || !Seen()) throw new LabException($"the crowd did not answer: {client.Output}{client.Error}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
