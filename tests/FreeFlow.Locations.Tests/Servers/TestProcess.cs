using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text;
using Tmds.Linux;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>A program that ends with the test.</summary>
internal sealed class TestProcess : IDisposable
{
    public const int SIGKILL = 9, SIGTERM = 15, SIGCONT = 18, SIGSTOP = 19;
    private static readonly ConcurrentDictionary<int, string> Started = new();
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private bool _disposed;

    public TestProcess(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("ETCD", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        _process = Process.Start(start)!;
        Started[_process.Id] = program;
        _process.OutputDataReceived += Take;
        _process.ErrorDataReceived += Take;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Those that were not disposed.</summary>
    public static IEnumerable<string> Running => Started.Select(entry => $"{entry.Value} {entry.Key}");

    public bool HasExited => _process.HasExited;

    public string Output { get { lock (_output) return _output.ToString(); } }

    public int Count(string text)
    {
        string output = Output;
        int count = 0;
        for (int at = 0; (at = output.IndexOf(text, at, StringComparison.Ordinal)) >= 0; at += text.Length) count++;
        return count;
    }

    public void Signal(int signal) => _ = LibC.kill(_process.Id, signal);

    /// <summary>Waits for the end; its exit code.</summary>
    public int Wait()
    {
        if (!_process.WaitForExit(30_000)) throw new TimeoutException($"{_process.StartInfo.FileName} did not end. {Output}");
        // Without a limit it also waits for the end of the output.
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited)
        {
            Signal(SIGKILL);
            _process.WaitForExit();
        }
        Started.TryRemove(_process.Id, out _);
        _process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        lock (_output) _output.AppendLine(line.Data);
    }
}
