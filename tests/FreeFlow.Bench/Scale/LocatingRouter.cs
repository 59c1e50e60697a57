using System;
using System.Diagnostics;
using System.IO;
using System.Text.Json;
using FreeFlow.Cli;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Scale;

/// <summary>A freeflow-router that reads locations, and what it says about them.</summary>
internal sealed class LocatingRouter : IDisposable
{
    private readonly string _socket;
    private readonly long _began;

    internal LocatingRouter(string folder, string name, params string[] arguments)
    {
        _socket = Path.Combine(folder, $"{name}.sock");
        _began = Stopwatch.GetTimestamp();
        Process = Place.Host.Start(new CommandLine(Artifacts.Router, ["--socket", _socket, .. arguments]));
    }

    internal LabProcess Process { get; }

    /// <summary>What it knows: "addresses" or "identities"; −1 while it does not answer or its view is not current.</summary>
    internal int Known(string what)
    {
        if (!File.Exists(_socket)) return -1;
        try
        {
            using JsonDocument status = JsonDocument.Parse(RouterClient.AskStatus(_socket));
            JsonElement locations = status.RootElement.GetProperty("cluster").GetProperty("locations");
            return locations.GetProperty("state").GetString() is "current" or "none" ? locations.GetProperty(what).GetInt32() : -1;
        }
        catch (CommandException) when (!Process.HasExited)
        {
            return -1;
        }
    }

    /// <summary>Waits until it knows so many; milliseconds since it was started.</summary>
    internal double WaitFor(string what, int count)
    {
        if (!Waiting.Until(() => Known(what) >= count, TimeSpan.FromSeconds(60))) throw new LabException($"a router knows {Known(what)} {what} of {count}: {(Process.Output + Process.Error).Trim()}");
        return Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
    }

    /// <summary>Resident memory, in MiB.</summary>
    internal double Mebibytes => ProcessTree.MemoryKib(Process.Pid).Rss / 1024.0;

    /// <inheritdoc/>
    public void Dispose() => Process.Dispose();
}
