using System;
using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// Gives programs a moment to return by themselves, as all do that wait for something on their connections, and then stands in for the others. One thread, while there is
/// something to do.
/// </summary>
internal static class StandIns
{
    private const int FirstPause = 100, LongestPause = 1000;   // milliseconds

    /// <summary>A reader that takes nothing for so long, or a thread of a program that was killed in the midst of its return: the program itself goes on, if there is one.</summary>
    private const int Patience = 120_000;

    private static readonly Lock s_lock = new();
    private static readonly PriorityQueue<(StandIn StandIn, int Pause, long Until), long> s_due = new();
    private static bool s_runs;

    public static void Add(StandIn standIn)
    {
        lock (s_lock)
        {
            long now = Environment.TickCount64;
            s_due.Enqueue((standIn, 1, now + Patience), now + FirstPause);
            if (s_runs) return;
            s_runs = true;
            new Thread(Run) { IsBackground = true, Name = "stand-in" }.Start();
        }
    }

    private static void Run()
    {
        while (true)
        {
            (StandIn StandIn, int Pause, long Until) next;
            long left;
            lock (s_lock)
            {
                if (!s_due.TryPeek(out next, out long at)) { s_runs = false; return; }
                left = at - Environment.TickCount64;
                if (left <= 0) s_due.Dequeue();
            }
            if (left > 0) { Thread.Sleep((int)left); continue; }
            if (next.StandIn.Try() || Environment.TickCount64 > next.Until) { next.StandIn.Dispose(); continue; }
            int pause = Math.Min(next.Pause * 2, LongestPause);
            lock (s_lock) s_due.Enqueue((next.StandIn, pause, next.Until), Environment.TickCount64 + pause);
        }
    }
}
