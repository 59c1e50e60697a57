namespace FreeFlow.Contract;

/// <summary>
/// A reader's request to have its unread bytes brought back into the kernel: the word <c>ReaderWantsKernel</c> of a ring's block, changed by compare-and-swap only.
/// The same names stand in <c>shim/models/localreturn.pml</c> and <c>withdrawal.pml</c>.
/// </summary>
public enum RecallState : uint
{
    /// <summary>None, or one that was taken back.</summary>
    None = 0,

    /// <summary>By the reader; in a mirrored ring of the sender by its router.</summary>
    Asked = 1,

    /// <summary>The writer leaves the ring. In a mirrored ring of the reader its router says so, of a request that could not be withdrawn any more: the return mark comes.</summary>
    TakenUp = 2,

    /// <summary>Mirrored rings only: the reader takes it back, and waits for its router to say <see cref="None"/> or <see cref="TakenUp"/>.</summary>
    Withdrawn = 3,

    /// <summary>
    /// By the router, for good: one of the two programs waits for the connection by system calls that pass the shim by, and is not woken by what happens in the ring. The writer leaves
    /// the ring as if the reader had asked, and the reader goes to the kernel as soon as it sees that.
    /// </summary>
    Unheard = 4,

    /// <summary><see cref="Unheard"/>, and the reader has asked besides: a writer that ends its stream leaves nothing in the ring.</summary>
    UnheardAndAsked = 5,
}
