namespace FreeFlow.Shim.Uring;

/// <summary>A thread's registered index of a ring (IORING_REGISTER_RING_FDS), by which it may enter without a descriptor.</summary>
internal struct RegisteredRing
{
    public uint Thread;
    public int Index;

    /// <summary>Index of the queue plus one; 0: the place is free.</summary>
    public int Queue;
}
