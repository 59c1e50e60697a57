namespace FreeFlow.Contract;

/// <summary>
/// Who works on a writer's return from a mirrored ring (docs/fabric.md): the word <c>Returner</c> of its block, changed by compare-and-swap only. The same names stand in
/// <c>shim/models/standin.pml</c>.
/// </summary>
public enum ReturnerState : uint
{
    /// <summary>It has not begun.</summary>
    None = 0,

    /// <summary>A thread that holds the writer's sending lock.</summary>
    Writer = 1,

    /// <summary>The router, which stands in for a writer that does not get to it.</summary>
    Router = 2,

    /// <summary>It has begun, and waits for the kernel to take more.</summary>
    Paused = 3,

    /// <summary>The kernel has all of it, or will not take it any more.</summary>
    Done = 4,
}
