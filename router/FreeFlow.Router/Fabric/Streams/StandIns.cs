using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// Gives programs a moment to return by themselves, as all do that wait for something on their connections, and then stands in for the others, until they are gone or all is
/// done. How long an attempt takes is the program's to say (how many descriptors it has, who holds its socket's lock): so each user has a queue of its own, one thread at a time, and a quarter of that
/// thread's time. Threads come and go as there is something to do. Any thread.
/// </summary>
internal static class StandIns
{
    /// <summary>Milliseconds until a program that has not begun is helped, and one that has.</summary>
    public const int Patience = 100, Soon = 2;

    /// <summary>How much longer than an attempt its user rests behind it.</summary>
    private const int Rest = 3;

    private const int LongestPause = 1000, ThreadStays = 1000;   // milliseconds
    private const int MostThreads = 64;

    private static readonly object s_lock = new();
    private static readonly Dictionary<uint, StandInLane> s_lanes = [];

    /// <summary>Lanes by the moment when they are to be looked at; some more than once, or in vain.</summary>
    private static readonly PriorityQueue<StandInLane, long> s_looks = new();
    private static int s_threads, s_idle;

    /// <summary>Takes the object over; its first attempt comes after <paramref name="pause"/> milliseconds.</summary>
    public static void Add(StandIn standIn, int pause) => Add(standIn.User, () => standIn, pause);

    /// <summary>As the other one, for one that has to be looked for first: that is done in the user's turn.</summary>
    public static void Add(uint user, Func<StandIn?> find, int pause)
    {
        lock (s_lock)
        {
            if (!s_lanes.TryGetValue(user, out StandInLane? lane)) s_lanes[user] = lane = new StandInLane(user);
            lane.Due.Enqueue((find, 1), Environment.TickCount64 + pause);
            LookAt(lane);
            if (s_idle > 0) Monitor.Pulse(s_lock);
            else BeginThread();
        }
    }

    private static void LookAt(StandInLane lane)
    {
        if (!lane.IsServed) s_looks.Enqueue(lane, lane.NextAt);
    }

    /// <summary>If none can be had, the next one that is added tries again.</summary>
    private static void BeginThread()
    {
        if (s_threads < MostThreads && Threads.TryBegin("stand-in", Run)) s_threads++;
    }

    private static void Run()
    {
        while (Next() is { } lane)
        {
            (Func<StandIn?> find, int pause) = Take(lane);
            long began = Stopwatch.GetTimestamp();
            StandIn? left = null;
            bool moved = false;
            try { left = Try(find, out moved); }
            catch (Exception exception) { Threads.Faulted("stand-in", exception); }
            Return(lane, left, moved ? 1 : Math.Min(pause * 2, LongestPause), (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    private static (Func<StandIn?> Find, int Pause) Take(StandInLane lane)
    {
        lock (s_lock) return lane.Due.Dequeue();
    }

    /// <summary>One attempt. The object if it is to be tried again.</summary>
    private static StandIn? Try(Func<StandIn?> find, out bool moved)
    {
        moved = false;
        if (find() is not { } standIn) return null;
        bool done = true;
        try { done = standIn.Try(); }
        finally { if (done) standIn.Dispose(); }
        moved = standIn.Moved;
        return done ? null : standIn;
    }

    private static void Return(StandInLane lane, StandIn? left, int pause, long took)
    {
        lock (s_lock)
        {
            long now = Environment.TickCount64;
            if (left is not null) lane.Due.Enqueue((() => left, pause), now + pause);
            lane.RestsUntil = now + (took * Rest);
            lane.IsServed = false;
            if (lane.Due.Count == 0) s_lanes.Remove(lane.User);
            else LookAt(lane);
        }
    }

    /// <summary>Waits for a lane with something due; null if this thread is one too many. As long as another lane waits there is a thread for it, whoever this one is kept by.</summary>
    private static StandInLane? Next()
    {
        lock (s_lock)
        {
            while (true)
            {
                long left = ThreadStays;
                while (s_looks.TryPeek(out StandInLane? lane, out long at))
                {
                    left = at - Environment.TickCount64;
                    if (left > 0) break;
                    s_looks.Dequeue();
                    if (lane.IsServed || lane.Due.Count == 0) continue;
                    if (lane.NextAt > at) { LookAt(lane); continue; }
                    lane.IsServed = true;
                    if (s_idle == 0 && s_looks.Count > 0) BeginThread();
                    return lane;
                }
                if (s_looks.Count == 0) left = ThreadStays;
                s_idle++;
                bool pulsed = Monitor.Wait(s_lock, (int)Math.Min(left, ThreadStays));
                s_idle--;
                if (pulsed || (s_looks.Count > 0 && s_idle == 0) || left < ThreadStays) continue;
                s_threads--;
                return null;
            }
        }
    }
}
