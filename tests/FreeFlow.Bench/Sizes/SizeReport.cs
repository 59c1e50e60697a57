using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench.Sizes;

/// <summary><c>make size</c>: 10,000 connections of one pair of processes, then 200 processes at once, beside the kernel's own in the same run.</summary>
internal static class SizeReport
{
    private static readonly (int Processes, int Connections)[] s_crowds = [(1, 10_000), (200, 4_000)];

    /// <summary>Runs it. Returns the exit code: 0 when every connection was in its ring, 1 otherwise.</summary>
    internal static int Run()
    {
        using ContainerPair pair = ContainerPair.Start();
        RouterProcess router = pair.StartRouter();
        List<(SizeRun Kernel, SizeRun FreeFlow, SizeRun Asleep)> runs = [];
        foreach ((int processes, int connections) in s_crowds)
        {
            string step = string.Create(CultureInfo.InvariantCulture, $"{connections:#,0} connections, client processes: {processes}");
            runs.Add((
                SizeRun.Measure(pair, router, accelerated: false, spinning: true, processes, connections, $"{step}, plain"),
                SizeRun.Measure(pair, router, accelerated: true, spinning: true, processes, connections, $"{step}, under freeflow"),
                SizeRun.Measure(pair, router, accelerated: true, spinning: false, processes, connections, $"{step}, under freeflow, not spinning")));
        }
        Progress.Clear();
        IAnsiConsole console = Terminal.Create();
        foreach ((SizeRun kernel, SizeRun freeFlow, SizeRun asleep) in runs) Print(console, kernel, freeFlow, asleep);
        File.WriteAllText(Path.Combine(Artifacts.Folder, "size.json"),
            JsonSerializer.Serialize(runs.Select(run => new { run.Kernel, run.FreeFlow, run.Asleep }), new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }) + "\n");
        if (runs.All(run => run.FreeFlow.Accelerated == 2 * run.FreeFlow.Connections && run.Asleep.Accelerated == 2 * run.Asleep.Connections)) return 0;
        Console.Error.WriteLine("freeflow-bench: not every connection was in its ring.");
        return 1;
    }

    private static void Print(IAnsiConsole console, SizeRun kernel, SizeRun freeFlow, SizeRun asleep)
    {
        Table table = new() { Border = TableBorder.Rounded };
        table.AddColumn($"{kernel.Connections.ToString("#,0", CultureInfo.InvariantCulture)} connections, {kernel.Processes} client process(es), 1 server");
        table.AddColumn(new TableColumn("kernel") { Alignment = Justify.Right });
        table.AddColumn(new TableColumn("FreeFlow") { Alignment = Justify.Right });
        // Waits that spin before they sleep cost time in which nothing is opened (FREEFLOW_SPIN_US).
        table.AddColumn(new TableColumn("without spinning") { Alignment = Justify.Right });
        foreach ((string name, Func<SizeRun, double> value) in Rows()) table.AddRow(Markup.Escape(name), Text.Figure(value(kernel)), Text.Figure(value(freeFlow)), Text.Figure(value(asleep)));
        console.Write(table);
    }

    private static IEnumerable<(string, Func<SizeRun, double>)> Rows()
    {
        static Func<SizeRun, double> Each(Func<SizeRun, double> total) => run => total(run) / run.Connections;
        yield return ("connections in rings", run => run.Accelerated / 2.0);
        yield return ("CPU to connect and send 16 messages there and back, all sides, µs each", Each(run => (run.Open.CpuSeconds - run.Empty.CpuSeconds) * 1e6));
        yield return ("open: memory of programs and router (PSS), KiB each", Each(run => run.Open.Private - run.Empty.Private));
        yield return ("    of that rings and tables, KiB each", Each(run => run.Open.Shared - run.Empty.Shared));
        yield return ("    kernel objects (slab), KiB each", Each(run => run.Open.Slab - run.Empty.Slab));
        yield return ("    TCP buffers, KiB each", Each(run => run.Open.Sockets - run.Empty.Sockets));
        yield return ("    descriptors of the server", run => run.Open.Server);
        yield return ("    descriptors of the clients, beyond one for each connection", run => run.Open.Client - run.Connections);
        yield return ("    descriptors of the router", run => run.Open.Router);
        yield return ("idle: CPU, % of a core", run => 100 * run.Idle.CpuSeconds / SizeRun.IdleSeconds);
        yield return ("after 64 KiB on each: rings and tables, KiB each", Each(run => run.Burst.Shared - run.Empty.Shared));
        yield return ("    5 s later", Each(run => run.Later.Shared - run.Empty.Shared));
        yield return ("closed: memory of programs and router more than before, KiB", run => run.Closed.Private - run.Empty.Private);
        yield return ("    rings, tables and the runtime's shared memory, KiB", run => run.Closed.Shared);
        yield return ("    descriptors of the server", run => run.Closed.Server);
    }
}
