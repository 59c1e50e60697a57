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

    /// <summary>Addresses that it knows; −1 while it does not answer or its view is not current.</summary>
    internal int Addresses
    {
        get
        {
            if (!File.Exists(_socket)) return -1;
            try
            {
                using JsonDocument status = JsonDocument.Parse(RouterClient.AskStatus(_socket));
                JsonElement locations = status.RootElement.GetProperty("cluster").GetProperty("locations");
                return locations.GetProperty("state").GetString() is "current" or "none" ? locations.GetProperty("addresses").GetInt32() : -1;
            }
            catch (CommandException) when (!Process.HasExited)
            {
                return -1;
            }
        }
    }

    /// <summary>Waits until it knows so many; milliseconds since it was started.</summary>
    internal double WaitFor(int addresses)
    {
        if (!Waiting.Until(() => Addresses >= addresses, TimeSpan.FromSeconds(60))) throw new LabException($"a router knows {Addresses} addresses of {addresses}: {(Process.Output + Process.Error).Trim()}");
        return Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
    }

    /// <inheritdoc/>
    public void Dispose() => Process.Dispose();
}
