using System;
using System.Runtime.CompilerServices;

namespace FreeFlow.Router.Observe;

/// <summary>One line per event on standard error. What strangers can provoke is limited to so many lines a second.</summary>
internal sealed class Log(bool verbose)
{
    private const int LinesPerSecond = 50;
    private long _second;
    private int _lines;

    /// <summary>True if --verbose was given.</summary>
    public bool Verbose { get; } = verbose;

    /// <summary>Writes a line always, within the limit.</summary>
    public void Line(string text)
    {
        long now = Environment.TickCount64 / 1000;
        if (now != _second)
        {
            if (_lines > LinesPerSecond) Console.Error.WriteLine($"freeflow-router: {_lines - LinesPerSecond} more lines left out");
            _second = now;
            _lines = 0;
        }
        if (++_lines <= LinesPerSecond) Console.Error.WriteLine($"freeflow-router: {text}");
    }

    /// <summary>Writes a line if --verbose was given; the text is not even made otherwise.</summary>
    public void Detail([InterpolatedStringHandlerArgument("")] ref DetailText text)
    {
        if (Verbose) Console.Error.WriteLine($"freeflow-router: {text.ToText()}");
    }
}
