namespace FreeFlow.Contract;

/// <summary>How far a refill has come (<see cref="Messages.RefillRequest"/>): the word <c>State</c> of its memory.</summary>
public enum RefillState : uint
{
    /// <summary>By the process: may this router write into the socket's queue?</summary>
    Asked = 0,

    /// <summary>By the router: it may.</summary>
    Able = 1,

    /// <summary>By the process: the bytes stand behind the header.</summary>
    Filled = 2,

    /// <summary>By the router: the socket's queue has them all.</summary>
    Done = 3,

    /// <summary>By the router: it may not, or the kernel has not taken them all.</summary>
    Failed = 4,
}
