namespace FreeFlow.Contract.Layout;

/// <summary>
/// Where things lie in a ring memfd: block 0 carries side 0 → side 1, block 1 carries side 1 → side 0. A block is its header, followed at once
/// by its data, rounded up to a page, so that a small ring's header and first data share one page.
/// </summary>
public static class RingLayout
{
    /// <summary>"FFR1", read as a little-endian word.</summary>
    public const uint Magic = 0x31524646;
    public const uint Version = 5;
    public const int HeaderBytes = 512;
    public const int PageBytes = 4096;
    public const int ReturnMarkBytes = 16;

    /// <summary>Mirrored rings of a link whose shims' answers the router looks for itself for a while; of more it has to be woken.</summary>
    public const int MostAwaited = 8;

    /// <summary>Smallest and largest data capacity of one direction, in bytes; always a power of two.</summary>
    public const ulong MinimumCapacity = 4096;
    public const ulong MaximumCapacity = 64UL << 20;

    /// <summary>True if <paramref name="capacity"/> may be the data capacity of one direction.</summary>
    public static bool IsValidCapacity(ulong capacity) =>
        capacity is >= MinimumCapacity and <= MaximumCapacity && (capacity & (capacity - 1)) == 0;

    /// <summary>Bytes of one block for a valid capacity: a multiple of the page size.</summary>
    public static ulong BlockBytes(ulong capacity) => (HeaderBytes + capacity + PageBytes - 1) & ~(ulong)(PageBytes - 1);

    /// <summary>Bytes of the whole memfd.</summary>
    public static ulong TotalBytes(ulong capacity) => 2 * BlockBytes(capacity);

    /// <summary>Offset of the block that <paramref name="side"/> (0 or 1) writes.</summary>
    public static ulong WriterBlockOffset(uint side, ulong capacity) => side * BlockBytes(capacity);
}
