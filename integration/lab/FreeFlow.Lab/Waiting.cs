using System;
using System.Diagnostics;
using System.Threading;

namespace FreeFlow.Lab;

/// <summary>Bounded waiting for something outside this process.</summary>
public static class Waiting
{
    /// <summary>Asks <paramref name="condition"/> again and again, at first quickly; false when it stays false for <paramref name="timeout"/>.</summary>
    public static bool Until(Func<bool> condition, TimeSpan timeout)
    {
        Stopwatch clock = Stopwatch.StartNew();
        for (int pause = 1; ; pause = Math.Min(pause * 2, 50))
        {
            if (condition()) return true;
            if (clock.Elapsed > timeout) return false;
            Thread.Sleep(pause);
        }
    }
}
