using System;
using System.Collections.Generic;

namespace FreeFlow.Router.Verbs;

/// <summary>Identifiers that wait for something for a limited time, all of them for the same: the first one's time is over first.</summary>
internal sealed class CmDeadlines(long milliseconds)
{
    private readonly LinkedList<(CmIdentifier Identifier, long At)> _waiting = [];

    /// <summary>How long until the first one's time is over: for ever is −1.</summary>
    public int Patience => _waiting.First is { } first ? (int)Math.Clamp(first.Value.At - Environment.TickCount64, 0, milliseconds) : -1;

    /// <summary>The identifier waits from now on, for this and nothing else.</summary>
    public void Add(CmIdentifier identifier)
    {
        Cancel(identifier);
        identifier.Deadline = _waiting.AddLast((identifier, Environment.TickCount64 + milliseconds));
    }

    public static void Cancel(CmIdentifier identifier)
    {
        if (identifier.Deadline is not { } place) return;
        place.List!.Remove(place);
        identifier.Deadline = null;
    }

    /// <summary>The next one whose time is over; it waits no more.</summary>
    public CmIdentifier? Take()
    {
        if (_waiting.First is not { } first || first.Value.At > Environment.TickCount64) return null;
        Cancel(first.Value.Identifier);
        return first.Value.Identifier;
    }
}
