using System.Diagnostics;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;

namespace FreeFlow.Router.Sessions;

/// <summary>Names what has held the event loop, for which everybody on the host waits, for longer than anything should.</summary>
internal sealed class LoopWatch(Statistics statistics, Log log)
{
    private const long MostMilliseconds = 50;

    private static readonly long s_most = Stopwatch.Frequency * MostMilliseconds / 1000;

    /// <summary>True if what began then has taken too long.</summary>
    public static bool IsLong(long began) => Stopwatch.GetTimestamp() - began > s_most;

    /// <summary>Counts it, and says what it was. A busy machine may have had other things to do.</summary>
    public void Tell(long began, string what)
    {
        long milliseconds = (Stopwatch.GetTimestamp() - began) * 1000 / Stopwatch.Frequency;
        statistics.CountHold(milliseconds, what);
        log.LoopHeld(milliseconds, what);
    }
}
