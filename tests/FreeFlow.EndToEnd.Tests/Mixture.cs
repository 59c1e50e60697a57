namespace FreeFlow.EndToEnd.Tests;

/// <summary>Who is preloaded, and what becomes of the router.</summary>
public enum Mixture
{
    /// <summary>Nobody: what the program does without FreeFlow.</summary>
    Plain,

    /// <summary>Both sides, with a router: bytes go through the ring.</summary>
    Both,

    /// <summary>Only the server: no ring, same results.</summary>
    ServerOnly,

    /// <summary>Only the client: no ring, same results.</summary>
    ClientOnly,

    /// <summary>Both sides, and no router ever.</summary>
    RouterAbsent,

    /// <summary>Both sides; the router starts after a first round of work.</summary>
    RouterLate,

    /// <summary>Both sides; the router is killed with SIGKILL while bytes go through a ring.</summary>
    RouterKilled,
}
