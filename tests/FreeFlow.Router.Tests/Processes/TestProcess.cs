using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A process with its output collected. Killed on Dispose.</summary>
internal sealed class TestProcess : IDisposable
{
    private readonly ConcurrentQueue<string> _lines = new();

    public TestProcess(string file, params string[] arguments)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("FREEFLOW_SOCKET");
        start.Environment.Remove("LD_PRELOAD");
        Process = new Process { StartInfo = start };
        Process.OutputDataReceived += Take;
        Process.ErrorDataReceived += Take;
        Process.Start();
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
    }

    public Process Process { get; }

    /// <summary>Starts a program of this very build, which lies beside the tests, under the dotnet that runs them.</summary>
    public static TestProcess OfThisBuild(string assembly, params string[] arguments) => OfThisBuild([], assembly, arguments);

    /// <summary>The same by way of a command that becomes it, such as prlimit.</summary>
    public static TestProcess OfThisBuild(string[] before, string assembly, params string[] arguments)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
        string[] command = [.. before, host, Path.Combine(AppContext.BaseDirectory, assembly), .. arguments];
        return new TestProcess(command[0], command[1..]);
    }

    /// <summary>Everything it printed so far.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>Waits until it has printed <paramref name="text"/>; false if it ended or that many seconds passed first.</summary>
    public bool WaitFor(string text, int seconds = 10)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (Process.HasExited || clock.Elapsed > TimeSpan.FromSeconds(seconds)) return Output.Contains(text, StringComparison.Ordinal);
            Thread.Sleep(5);
        }
        return true;
    }

    /// <summary>Waits for its end and returns the exit code.</summary>
    public int WaitForExit()
    {
        if (!Process.WaitForExit(10_000)) throw new TimeoutException($"{Process.StartInfo.FileName} does not end: {Output}");
        Process.WaitForExit(); // output too
        return Process.ExitCode;
    }

    /// <summary>SIGTERM, and waits.</summary>
    public int Terminate()
    {
        Kernel.kill(Process.Id, Kernel.SIGTERM);
        return WaitForExit();
    }

    /// <summary>SIGKILL, and waits.</summary>
    public void Kill()
    {
        Process.Kill();
        WaitForExit();
    }

    public void Dispose()
    {
        if (!Process.HasExited) Kill();
        Process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null) _lines.Enqueue(line.Data);
    }
}
