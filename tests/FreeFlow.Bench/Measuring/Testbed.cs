using System;
using System.Globalization;
using System.IO;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Measuring;

/// <summary>What every case works with: the containers, the router, the length of a run.</summary>
internal sealed class Testbed : IDisposable
{
    private int _port = 7000;

    internal Testbed(double seconds)
    {
        Seconds = seconds;
        Pair = ContainerPair.Start();
        Router = Pair.StartRouter();
    }

    /// <summary>The two containers: servers in the first, clients in the second.</summary>
    internal ContainerPair Pair { get; }

    /// <summary>The router, with its embedded defaults.</summary>
    internal RouterProcess Router { get; }

    /// <summary>Wished length of a run in seconds.</summary>
    internal double Seconds { get; }

    /// <summary>The same as programs' argument.</summary>
    internal string SecondsText => Seconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whole seconds, at least one, for programs that know no fractions.</summary>
    internal string WholeSeconds => Math.Max(1, (int)Math.Round(Seconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>The small measuring programs in C.</summary>
    internal static string Probe => Path.Combine(Artifacts.Folder, "bench", "probe");

    /// <summary>A port that no run has used before, so that none meets another's remains.</summary>
    internal int NextPort() => _port++;

    /// <summary>A Unix socket's path that both containers see.</summary>
    internal string UnixPath(int port) => Path.Combine(Pair.Folder, $"{port}.sock");

    /// <summary>Arguments of the probe for a road: address and port.</summary>
    internal string[] Where(Road road, int port) => [road == Road.Unix ? UnixPath(port) : Pair.First.Address4, port.ToString(CultureInfo.InvariantCulture)];

    /// <summary>Starts a server in the first container, runs a client against it in the second, and ends the server.</summary>
    /// <param name="road">FreeFlow: both under <c>freeflow run</c>.</param>
    /// <param name="server">The server.</param>
    /// <param name="listening">True once it can be connected to.</param>
    /// <param name="client">The client; it ends by itself.</param>
    /// <param name="before">Done when the server is up, unmeasured.</param>
    /// <param name="counted">Whether to watch the rings meanwhile, which costs a little CPU.</param>
    internal Exchange Run(Road road, CommandLine server, Func<bool> listening, CommandLine client, Action? before = null, bool counted = true)
    {
        bool accelerated = road == Road.FreeFlow;
        using LabProcess running = Pair.First.Start(server.WithFreeFlow(accelerated));
        bool up = Waiting.Until(() => running.HasExited || listening(), TimeSpan.FromSeconds(20)) && !running.HasExited;
        if (!up) throw new LabException($"'{server}' did not come up: {(running.Output + running.Error).Trim()}");
        before?.Invoke();
        using RingSampler? sampler = accelerated && counted ? new RingSampler(Pair.SocketPath) : null;
        double cpu = running.CpuSeconds;
        CompletedProcess ended = Pair.Second.Run(client.WithFreeFlow(accelerated), TimeSpan.FromSeconds(30 + (10 * Seconds))).Succeeded(client.ToString());
        // A server that ends with its client takes its CPU time with it; what it used until now is still there while the process is.
        cpu = Math.Max(0, running.CpuSeconds - cpu) + ended.CpuSeconds;
        return new Exchange(ended, running, cpu, sampler?.RingBytes ?? 0);
    }

    /// <summary>The condition that a server listens, on its port or its Unix path.</summary>
    internal Func<bool> Listening(Road road, int port) => road == Road.Unix ? () => File.Exists(UnixPath(port)) : () => Pair.First.IsListening(port);

    /// <inheritdoc/>
    public void Dispose() => Pair.Dispose();
}
