using System;
using System.Collections.Generic;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>What is to be done for one user's programs (<see cref="StandIns"/>); under its lock.</summary>
/// <param name="user">The uid.</param>
internal sealed class StandInLane(uint user)
{
    public uint User { get; } = user;

    /// <summary>By the moment when each is due, in milliseconds of Environment.TickCount64. The function gives the object at the first attempt; null: there is nothing to do.</summary>
    public PriorityQueue<(Func<StandIn?> StandIn, int Pause), long> Due { get; } = new();

    /// <summary>A thread is at it.</summary>
    public bool IsServed { get; set; }

    /// <summary>Nothing of it is due before: it has had its share.</summary>
    public long RestsUntil { get; set; }

    /// <summary>When the next one is due.</summary>
    public long NextAt => Due.TryPeek(out _, out long at) ? Math.Max(at, RestsUntil) : long.MaxValue;
}
