namespace FreeFlow.Contract.Layout;

/// <summary>What a message asks of the responder; each consumes one receive.</summary>
public enum QueuePairMessageKind : ushort
{
    Send = 1,
    SendWithImmediate = 2,
    WriteWithImmediate = 3,
    SendWithInvalidate = 4,
}
