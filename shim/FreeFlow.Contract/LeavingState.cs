namespace FreeFlow.Contract;

/// <summary>
/// How far a writer has left a mirrored ring for good (docs/fabric.md): the word <c>WriterLeft</c> of its block, which only grows. By it a router that stands in for the writer
/// knows where its bytes end. The same names stand in <c>shim/models/standin.pml</c>.
/// </summary>
public enum LeavingState : uint
{
    /// <summary>It may still publish bytes, if only those of a call that has not heard yet that the ring has been left.</summary>
    Not = 0,

    /// <summary>Its Tail does not move any more.</summary>
    Left = 1,

    /// <summary>And the stream ends there, by shutdown(2): who brings the last byte into the kernel ends the kernel's.</summary>
    ShutDown = 2,
}
