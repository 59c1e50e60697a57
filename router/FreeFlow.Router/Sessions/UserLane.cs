using System;
using System.Collections.Generic;

namespace FreeFlow.Router.Sessions;

/// <summary>What waits to be done for one user (<see cref="UserThreads"/>); under its lock.</summary>
internal sealed class UserLane
{
    public Queue<Action> Work { get; } = new();

    /// <summary>Threads that are at it now.</summary>
    public int Threads { get; set; }

    /// <summary>It is in the list of those for whom a thread is looked for.</summary>
    public bool IsReady { get; set; }
}
