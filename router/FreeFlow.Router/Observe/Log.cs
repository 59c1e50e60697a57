using System;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Router.Observe;

/// <summary>One line per event on standard error. What strangers can provoke is limited to so many lines a second.</summary>
internal sealed class Log(bool verbose)
{
    private const int LinesPerSecond = 50;
    private readonly Lock _lock = new();
    private long _second;
    private int _lines;

    /// <summary>True if --verbose was given.</summary>
    public bool Verbose { get; set; } = verbose;

    /// <summary>Writes a line always, within the limit. Any thread.</summary>
    public void Line(string text)
    {
        lock (_lock)
        {
            long now = Environment.TickCount64 / 1000;
            if (now != _second)
            {
                if (_lines > LinesPerSecond) Write($"freeflow-router: {_lines - LinesPerSecond} more lines left out");
                _second = now;
                _lines = 0;
            }
            if (++_lines <= LinesPerSecond) Write($"freeflow-router: {text}");
        }
    }

    /// <summary>Writes a line if --verbose was given; the text is not even made otherwise.</summary>
    public void Detail([InterpolatedStringHandlerArgument("")] ref DetailText text)
    {
        if (Verbose) Write($"freeflow-router: {text.ToText()}");
    }

    /// <summary>
    /// Never waits and never fails: with a full pipe that nobody reads, or a full disk, the line is lost, and the router goes on. A pipe that poll(2) calls writable
    /// takes a line at once (pipe(7), PIPE_BUF).
    /// </summary>
    private static unsafe void Write(string text)
    {
        const int standardError = 2, most = 4096;
        // Names, certificates and other routers' words stand in these lines, too.
        byte[] line = Encoding.UTF8.GetBytes(PrintableText.Of(text) + "\n");
        PollDescriptor wait = new() { Descriptor = standardError, Events = PollDescriptor.POLLOUT };
        if (Libc.poll(&wait, 1, 0) <= 0 || (wait.Returned & PollDescriptor.POLLOUT) == 0) return;
        fixed (byte* bytes = line) _ = Libc.write(standardError, bytes, (nuint)Math.Min(line.Length, most));
    }
}
