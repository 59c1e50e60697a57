using System;
using System.Collections.Generic;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Gives memory back once the router has had nothing to do for a moment: what thousands of closed connections or a long status have left. The collector by itself keeps
/// it for the next ones, which may never come.
/// </summary>
internal sealed class Housekeeping
{
    private const int PatienceMilliseconds = 1000;
    private const long WorthTheWork = 1 << 20;
    private long _collectedAt, _eventAt;

    /// <summary>How long epoll_wait(2) may sleep before <see cref="Tidy"/> is due: for ever (−1) if it would be for nothing.</summary>
    public int Patience => GC.GetAllocatedBytesForCurrentThread() - _collectedAt > WorthTheWork ? (int)Math.Max(_eventAt + PatienceMilliseconds - Environment.TickCount64, 0) : -1;

    /// <summary>There was something to do.</summary>
    public void NoteEvent() => _eventAt = Environment.TickCount64;

    /// <summary>After that long without an event.</summary>
    public void Tidy(IEnumerable<Session> sessions, IEnumerable<Family> families)
    {
        foreach (Session session in sessions) session.Ends.TrimExcess();
        foreach (Family family in families) family.Ends.TrimExcess();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _collectedAt = GC.GetAllocatedBytesForCurrentThread();
    }
}
