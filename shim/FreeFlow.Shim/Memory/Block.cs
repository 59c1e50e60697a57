using FreeFlow.Contract.Layout;

namespace FreeFlow.Shim.Memory;

/// <summary>Finds the two blocks of a connection's ring.</summary>
internal static unsafe class Block
{
    /// <summary>The block this end writes.</summary>
    public static RingBlockHeader* Outgoing(ConnectionRecord* connection) => Of(connection->RingAddress, connection->Capacity, connection->Side);

    /// <summary>The block this end reads.</summary>
    public static RingBlockHeader* Incoming(ConnectionRecord* connection) => Of(connection->RingAddress, connection->Capacity, connection->Side ^ 1);

    /// <summary>The block that a side writes.</summary>
    public static RingBlockHeader* Of(ulong ring, ulong capacity, uint side) => (RingBlockHeader*)(ring + RingLayout.WriterBlockOffset(side, capacity));

    /// <summary>
    /// Bytes of address space that a ring takes: a page more than there is. Beyond the sealed memfd's end is nothing (SIGBUS, mmap(2)), so that what strays out of a ring
    /// cannot get into the one that is mapped beside it; and unlike a page without access that costs no mapping of its own (vm.max_map_count).
    /// </summary>
    public static nuint MappedBytes(ulong capacity) => (nuint)RingLayout.TotalBytes(capacity) + RingLayout.PageBytes;

    /// <summary>First data byte of a block.</summary>
    public static byte* Data(RingBlockHeader* block) => (byte*)block + RingLayout.HeaderBytes;
}
