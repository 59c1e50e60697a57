using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench;

/// <summary><c>make demo</c>: redis-server in one container, redis-benchmark in the other, plain and then under <c>freeflow run</c>; and perftest, which finds a device only then.</summary>
internal static class Demo
{
    private const int Runs = 3;
    private const double Seconds = 2;

    /// <summary>Runs it. Returns the exit code: 0 when bytes really went through shared memory.</summary>
    internal static int Run()
    {
        Progress.Show("two containers and a router", "starting");
        using ContainerPair pair = ContainerPair.Start();
        _ = pair.StartRouter();
        DemoSide plain = Measure(pair, accelerated: false, "redis plain, through kernel TCP");
        DemoSide freeflow = Measure(pair, accelerated: true, "redis under freeflow run, through shared memory");
        List<VerbsDemoRow> verbs = VerbsDemo.Measure(pair);
        Progress.Clear();
        Print(plain, freeflow);
        VerbsDemo.Print(verbs, Terminal.Create());
        string json = JsonSerializer.Serialize(new { plain, freeflow, ratio = freeflow.RequestsPerSecond / plain.RequestsPerSecond, verbs },
            new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower });
        File.WriteAllText(Path.Combine(Artifacts.Folder, "demo.json"), json + "\n");
        if (freeflow.SharedMemoryBytes > 0) return 0;
        Console.Error.WriteLine("freeflow-bench: not accelerated: no byte went through shared memory; 'freeflow status' names the reason while programs run.");
        return 1;
    }

    private static DemoSide Measure(ContainerPair pair, bool accelerated, string step)
    {
        int port = accelerated ? 6380 : 6379;
        CommandLine command = new("redis-server", "--save", "", "--protected-mode", "no", "--bind", "0.0.0.0", "--port", port.ToString(CultureInfo.InvariantCulture), "--dir", pair.Folder);
        using LabProcess server = pair.First.Start(command.WithFreeFlow(accelerated));
        pair.First.WaitForPort(port, server);
        Progress.Show(step, "warming up");
        long requests = (long)(One(pair, server, port, accelerated, 30_000).RequestsPerSecond * Seconds);
        List<DemoSide> sides = [];
        for (int run = 1; run <= Runs; run++)
        {
            Progress.Show(step, $"run {run} of {Runs}");
            sides.Add(One(pair, server, port, accelerated, requests));
            requests = (long)(sides[^1].RequestsPerSecond * Seconds);
        }
        return sides.OrderBy(side => side.RequestsPerSecond).ElementAt(Runs / 2);
    }

    private static DemoSide One(ContainerPair pair, LabProcess server, int port, bool accelerated, long requests)
    {
        CommandLine command = new("redis-benchmark", "-h", pair.First.Address4, "-p", port.ToString(CultureInfo.InvariantCulture), "-t", "get", "-c", "50",
            "-n", requests.ToString(CultureInfo.InvariantCulture), "--csv");
        using RingSampler? sampler = accelerated ? new RingSampler(pair.SocketPath) : null;
        long kernel = pair.First.NetworkBytesReceived + pair.Second.NetworkBytesReceived;
        double cpu = server.CpuSeconds;
        CompletedProcess client = pair.Second.Run(command.WithFreeFlow(accelerated)).Succeeded("redis-benchmark");
        double[] fields = client.Output.Split('\n').First(line => line.StartsWith("\"GET\"", StringComparison.Ordinal)).Trim().Split(',')
            .Skip(1).Select(field => double.Parse(field.Trim('"'), CultureInfo.InvariantCulture)).ToArray();
        return new DemoSide
        {
            Requests = requests,
            RequestsPerSecond = fields[0],
            P50Milliseconds = fields[3],
            P99Milliseconds = fields[5],
            ServerCpuMicroseconds = (server.CpuSeconds - cpu) * 1e6 / requests,
            ClientCpuMicroseconds = client.CpuSeconds * 1e6 / requests,
            KernelBytes = pair.First.NetworkBytesReceived + pair.Second.NetworkBytesReceived - kernel,
            SharedMemoryBytes = sampler?.RingBytes ?? 0,
        };
    }

    private static void Print(DemoSide plain, DemoSide freeflow)
    {
        Table table = new() { Border = TableBorder.Rounded, Title = new TableTitle("redis-benchmark GET, 50 connections, between two containers on one machine") };
        _ = table.AddColumn("").AddColumn(new TableColumn("plain").RightAligned()).AddColumn(new TableColumn(freeflow.SharedMemoryBytes > 0 ? "under freeflow run" : "NOT ACCELERATED").RightAligned()).AddColumn(new TableColumn("ratio").RightAligned());
        void Row(string name, Func<DemoSide, double> value, Func<double, string> write, bool ratio = true)
        {
            double before = value(plain), after = value(freeflow);
            string quotient = ratio && before > 0 && after > 0 ? Text.Figure(after >= before ? after / before : before / after) + (after >= before ? "× more" : "× less") : "";
            _ = table.AddRow(name, write(before), write(after), quotient);
        }
        Row("requests per second", side => side.RequestsPerSecond, Text.Figure);
        Row("p50 latency, µs", side => side.P50Milliseconds * 1000, Text.Figure);
        Row("p99 latency, µs", side => side.P99Milliseconds * 1000, Text.Figure);
        Row("CPU per request, redis-server, µs", side => side.ServerCpuMicroseconds, Text.Figure);
        Row("CPU per request, redis-benchmark, µs", side => side.ClientCpuMicroseconds, Text.Figure);
        Row("through the kernel, bytes per request", side => (double)side.KernelBytes / side.Requests, Text.Figure);
        Row("through the kernel", side => side.KernelBytes, Text.Bytes, ratio: false);
        Row("through shared memory, at least", side => side.SharedMemoryBytes, Text.Bytes, ratio: false);
        IAnsiConsole console = Terminal.Create();
        console.Write(table);
        console.MarkupLine("[dim]The kernel's bytes are counted by the containers' eth0, headers included; shared memory's by freeflow status, while connections live.[/]");
    }
}
