using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using FreeFlow.Lab;

namespace FreeFlow.Differential.Running;

/// <summary>A router of our own, in a folder of its own.</summary>
public sealed class Router : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("freeflow-differential.").FullName;
    private readonly ManualResetEventSlim _end = new();
    private Process _process;
    private Thread? _killer;

    /// <summary>Starts it and waits until it answers.</summary>
    public Router()
    {
        if (!Artifacts.Complete) throw new LabException("FreeFlow is not built: run 'make build'.");
        _process = Start();
    }

    /// <summary>Its socket.</summary>
    public string Socket => Path.Combine(_folder, "router.sock");

    /// <summary>From now on SIGKILL, and a new one at once, twice a second.</summary>
    public void ComeAndGo()
    {
        _killer = new Thread(() =>
        {
            while (!_end.Wait(500))
            {
                End();
                _process = Start();
            }
        });
        _killer.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Set();
        _killer?.Join();
        End();
        Directory.Delete(_folder, recursive: true);
    }

    private Process Start()
    {
        File.Delete(Socket);
        ProcessStartInfo start = new(Artifacts.Router, ["--socket", Socket]) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process = Process.Start(start) ?? throw new LabException("freeflow-router did not start.");
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        if (!Waiting.Until(() => File.Exists(Socket), TimeSpan.FromSeconds(10))) throw new LabException("freeflow-router did not come up.");
        return process;
    }

    private void End()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
