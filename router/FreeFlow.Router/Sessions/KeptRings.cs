using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Rings that every end has left, for as long as some program keeps their memory all the same. A pair of users may keep half as much as one user may have; then it is given no more rings. It is the pair that
/// bears it, not each of the two: so nobody can use up what a neighbour has with others by keeping the rings of his connections with him. Where the kernel does not say who
/// holds memory (<see cref="MemoryHandle"/>) a ring counts for a second.
/// </summary>
/// <param name="mostRings">What one user may have,</param>
/// <param name="mostBytes">and how many bytes of memory.</param>
internal sealed class KeptRings(ulong mostRings, ulong mostBytes)
{
    /// <summary>Milliseconds. Programs let go of a ring before or soon after they say so: the first look finds nearly none.</summary>
    private const int FirstLook = 100, LongestPause = 5000, Unseen = 1000;

    private readonly object _lock = new();
    private readonly PriorityQueue<(GivenRing Ring, int Pause), long> _due = new();
    private readonly Dictionary<(uint Lower, uint Higher), (ulong Rings, ulong Bytes)> _kept = [];
    private bool _runs;

    /// <summary>Every end has left it. Any thread.</summary>
    public void Watch(GivenRing ring)
    {
        lock (_lock)
        {
            if (!ring.IsKnown) Count(ring);
            int pause = ring.IsKnown ? FirstLook : Unseen;
            _due.Enqueue((ring, pause), Environment.TickCount64 + pause);
            // If no thread can be had, the next ring tries again.
            _runs = _runs || Threads.TryBegin("kept rings", Run);
        }
    }

    /// <summary>False if the two users keep so much that they are to be given no more. Any thread.</summary>
    public bool HasRoom(uint one, uint other, ulong bytes)
    {
        lock (_lock)
        {
            (ulong rings, ulong kept) = _kept.GetValueOrDefault(one < other ? (one, other) : (other, one));
            return rings < Math.Max(mostRings / 2, 1) && (kept == 0 || kept + bytes <= mostBytes / 2);
        }
    }

    /// <summary>What a user's programs keep together with others'. Any thread.</summary>
    public (ulong Rings, ulong Bytes) Of(uint user)
    {
        lock (_lock)
        {
            return _kept.Where(pair => pair.Key.Lower == user || pair.Key.Higher == user)
                .Aggregate((0ul, 0ul), (sum, pair) => (sum.Item1 + pair.Value.Rings, sum.Item2 + pair.Value.Bytes));
        }
    }

    private void Run()
    {
        while (Next() is var (ring, pause))
        {
            bool held = ring.IsHeld;
            lock (_lock)
            {
                bool counted = pause != FirstLook;
                if (held && !counted) Count(ring);
                if (!held && counted) Discount(ring);
                int next = Math.Min(pause * 2, LongestPause);
                if (held) _due.Enqueue((ring, next), Environment.TickCount64 + next);
            }
        }
    }

    /// <summary>Waits for the next one that is due; null if there is none, and the thread is to end.</summary>
    private (GivenRing Ring, int Pause)? Next()
    {
        lock (_lock)
        {
            while (_due.TryPeek(out _, out long at))
            {
                int left = (int)(at - Environment.TickCount64);
                if (left <= 0) return _due.Dequeue();
                // What comes meanwhile is not due earlier than its own first look.
                Monitor.Wait(_lock, Math.Min(left, FirstLook));
            }
            _runs = false;
            return null;
        }
    }

    private void Count(GivenRing ring)
    {
        (ulong rings, ulong bytes) = _kept.GetValueOrDefault(ring.Users);
        _kept[ring.Users] = (rings + 1, bytes + ring.Bytes);
    }

    private void Discount(GivenRing ring)
    {
        (ulong rings, ulong bytes) = _kept[ring.Users];
        if (rings == 1) _kept.Remove(ring.Users);
        else _kept[ring.Users] = (rings - 1, bytes - ring.Bytes);
    }
}
