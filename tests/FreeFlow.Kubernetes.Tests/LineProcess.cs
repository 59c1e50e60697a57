using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Kubernetes.Tests;

/// <summary>A program that is spoken to by lines. What it prints is kept, and waited for.</summary>
internal sealed class LineProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly SemaphoreSlim _news = new(0);

    internal LineProcess(string program, params string[] arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal int Id => _process.Id;

    internal string[] Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    internal void Send(string line) => _process.StandardInput.Write(line + "\n");

    /// <summary>The first line with this text among those that came after so many others.</summary>
    internal async Task<string> LineAsync(string text, int after = 0)
    {
        using CancellationTokenSource patience = new(s_patience);
        while (true)
        {
            if (Lines.Skip(after).FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } line) return line;
            try { await _news.WaitAsync(patience.Token); }
            catch (OperationCanceledException) { throw new TimeoutException($"no line with '{text}' among: {string.Join(" | ", Lines)}"); }
        }
    }

    internal async Task<int> ExitAsync()
    {
        using CancellationTokenSource patience = new(s_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs news)
    {
        if (news.Data is null) return;
        lock (_lines) _lines.Add(news.Data);
        _news.Release();
    }
}
