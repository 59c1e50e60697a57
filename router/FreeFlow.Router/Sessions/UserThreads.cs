using System;
using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Threads for what a program may make them wait for: a few at a time for each user, so that a user who does makes nobody else wait. They come and go as there is something to do.
/// </summary>
/// <param name="name">Of the threads.</param>
/// <param name="mostOfUser">So many for one user at once.</param>
/// <param name="begin">What a thread does first; null: nothing.</param>
internal sealed class UserThreads(string name, int mostOfUser, Action? begin = null)
{
    private const int Most = 512, Stays = 2, IdleMilliseconds = 5000, StackBytes = 1 << 18;

    private readonly object _lock = new();

    /// <summary>Lanes with something to do that may have another thread.</summary>
    private readonly Queue<UserLane> _ready = new();
    private int _threads, _idle;

    /// <summary>Any thread. The work must not throw.</summary>
    public void Add(UserLane lane, Action work)
    {
        lock (_lock)
        {
            lane.Work.Enqueue(work);
            MakeReady(lane);
            if (_idle > 0) Monitor.Pulse(_lock);
            else if (_threads == 0) Begin();
        }
    }

    private void MakeReady(UserLane lane)
    {
        if (lane.IsReady || lane.Work.Count == 0 || lane.Threads == mostOfUser) return;
        lane.IsReady = true;
        _ready.Enqueue(lane);
    }

    /// <summary>If no thread can be had, the next one that is added tries again.</summary>
    private void Begin()
    {
        if (_threads < Most && Threads.TryStart(new Thread(Run, StackBytes) { IsBackground = true, Name = name })) _threads++;
    }

    private void Run()
    {
        begin?.Invoke();
        while (Next() is { } lane)
        {
            while (Take(lane) is { } work) work();
            lock (_lock)
            {
                lane.Threads--;
                MakeReady(lane);
            }
        }
    }

    private Action? Take(UserLane lane)
    {
        lock (_lock) return lane.Work.TryDequeue(out Action? work) ? work : null;
    }

    /// <summary>Waits for a lane with something to do; null if this thread is one too many. There is always another thread that can take the next one, whoever is being waited for.</summary>
    private UserLane? Next()
    {
        lock (_lock)
        {
            UserLane? lane;
            while (!_ready.TryDequeue(out lane))
            {
                _idle++;
                bool pulsed = Monitor.Wait(_lock, IdleMilliseconds);
                _idle--;
                if (pulsed || _ready.Count > 0 || _idle < Stays) continue;
                _threads--;
                return null;
            }
            lane.IsReady = false;
            lane.Threads++;
            MakeReady(lane);
            if (_idle == 0) Begin();
            return lane;
        }
    }
}
