using System;
using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// Gives programs a moment to return by themselves, as all do that wait for something on their connections, and then stands in for the others, until they are gone or all is
/// done. One thread, while there is something to do.
/// </summary>
internal static class StandIns
{
    /// <summary>Milliseconds until a program that has not begun is helped, and one that has.</summary>
    public const int Patience = 100, Soon = 2;

    private const int LongestPause = 1000, ThreadStays = 1000;   // milliseconds

    private static readonly object s_lock = new();
    private static readonly PriorityQueue<(StandIn StandIn, int Pause), long> s_due = new();
    private static bool s_runs;

    /// <summary>Takes the object over; its first attempt comes after <paramref name="pause"/> milliseconds. Any thread.</summary>
    public static void Add(StandIn standIn, int pause)
    {
        lock (s_lock)
        {
            s_due.Enqueue((standIn, 1), Environment.TickCount64 + pause);
            Monitor.Pulse(s_lock);
            // If none can be had, the next one that is added tries again.
            s_runs = s_runs || Threads.TryBegin("stand-in", Run);
        }
    }

    private static void Run()
    {
        while (Next() is { } next)
        {
            if (next.StandIn.Try()) { next.StandIn.Dispose(); continue; }
            int pause = next.StandIn.Moved ? 1 : Math.Min(next.Pause * 2, LongestPause);
            lock (s_lock) s_due.Enqueue((next.StandIn, pause), Environment.TickCount64 + pause);
        }
    }

    /// <summary>Waits for the next one that is due; null if none has come for a while, and the thread is to end.</summary>
    private static (StandIn StandIn, int Pause)? Next()
    {
        lock (s_lock)
        {
            while (true)
            {
                if (!s_due.TryPeek(out _, out long at))
                {
                    if (Monitor.Wait(s_lock, ThreadStays) || s_due.Count != 0) continue;
                    s_runs = false;
                    return null;
                }
                int left = (int)(at - Environment.TickCount64);
                if (left <= 0) return s_due.Dequeue();
                Monitor.Wait(s_lock, left);
            }
        }
    }
}
