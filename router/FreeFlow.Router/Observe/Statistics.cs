using System;
using System.Collections.Generic;
using FreeFlow.Contract;

namespace FreeFlow.Router.Observe;

/// <summary>What the router has counted since it started.</summary>
internal sealed class Statistics
{
    private readonly long _started = Environment.TickCount64;

    /// <summary>Connections whose two ends were given a ring.</summary>
    public long Joined { get; set; }

    /// <summary>Bytes that the rings of families that are gone have carried, by those families' own word.</summary>
    public long RingBytes { get; private set; }

    /// <summary>Connections that FREEFLOW_STRICT has refused in families that are gone, by those families' own word.</summary>
    public long StrictlyRefused { get; private set; }

    /// <summary>Exceptions that dealing with an event has thrown: each is a defect of the router, or memory was short.</summary>
    public long Faults { get; set; }

    /// <summary>How often a session was not read for a while because what it had sent had to be closed first.</summary>
    public long Pauses { get; set; }

    /// <summary>How often one event has held the loop too long, for how long at most, and what that was.</summary>
    public (long Count, long LongestMilliseconds, string Longest) Holds { get; private set; } = (0, 0, "");

    public void CountHold(long milliseconds, string what) =>
        Holds = milliseconds > Holds.LongestMilliseconds ? (Holds.Count + 1, milliseconds, what) : Holds with { Count = Holds.Count + 1 };

    /// <summary>What families that are gone have come to.</summary>
    public ProgramTotals Ended { get; } = new();

    /// <summary>Refused ends by reason.</summary>
    public SortedDictionary<Reason, long> Refused { get; } = [];

    /// <summary>Seconds since the start.</summary>
    public long UptimeSeconds => (Environment.TickCount64 - _started) / 1000;

    /// <summary>A family is going: keeps its figures.</summary>
    public void Keep(long ringBytes, long strictlyRefused)
    {
        RingBytes = Sum(RingBytes, ringBytes);
        StrictlyRefused = Sum(StrictlyRefused, strictlyRefused);
    }

    /// <summary>The sum, or the largest number if that is too small: families may claim anything.</summary>
    public static long Sum(long first, long second) => first > long.MaxValue - second ? long.MaxValue : first + second;

    public void Count(Reason reason) => Refused[reason] = Refused.TryGetValue(reason, out long count) ? count + 1 : 1;
}
