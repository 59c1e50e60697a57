using System;
using System.IO;

namespace FreeFlow.Lab;

/// <summary>A running freeflow-router on this machine, and what it knows.</summary>
public sealed class RouterProcess : IDisposable
{
    private readonly LabProcess _process;

    internal RouterProcess(string socketPath, string recordFolder, string[] arguments)
    {
        if (!File.Exists(Artifacts.Router)) throw new LabException($"{Artifacts.Router} is missing: run 'make build'.");
        SocketPath = socketPath;
        _process = new LabProcess([Artifacts.Router, "--socket", socketPath, .. arguments], "freeflow-router", nested: false);
        LabCleanup.Record(recordFolder, _process.Pid);
    }

    /// <summary>Its socket.</summary>
    public string SocketPath { get; }

    /// <summary>The process: pid, output, CPU time.</summary>
    public LabProcess Process => _process;

    /// <summary>What <c>freeflow status --json</c> says now.</summary>
    public RouterStatus Status() => RouterStatus.Query(SocketPath);

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>SIGTERM, and waits.</summary>
    public void Stop() => _process.Stop();

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();

    internal void WaitUntilReady()
    {
        bool up = Waiting.Until(() => _process.HasExited || (File.Exists(SocketPath) && RouterStatus.TryQuery(SocketPath) is not null), TimeSpan.FromSeconds(10));
        if (!up || _process.HasExited) throw new LabException($"freeflow-router did not come up on {SocketPath}: {(_process.Output + _process.Error).Trim()}");
    }
}
