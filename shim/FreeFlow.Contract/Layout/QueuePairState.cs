namespace FreeFlow.Contract.Layout;

/// <summary>What one queue pair tells the other one about itself.</summary>
public enum QueuePairState : uint
{
    /// <summary>Not yet in RTR: as on a wire, nothing that is sent to it is answered.</summary>
    Silent = 0,

    /// <summary>RTR, RTS or SQD: it takes messages and lets its memory be used.</summary>
    Ready = 1,

    /// <summary>In the error state, reset or destroyed: it answers nothing any more.</summary>
    Ended = 2,
}
