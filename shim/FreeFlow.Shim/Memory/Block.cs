using FreeFlow.Contract.Layout;

namespace FreeFlow.Shim.Memory;

/// <summary>Finds the two blocks of a connection's ring.</summary>
internal static unsafe class Block
{
    /// <summary>The block this end writes.</summary>
    public static RingBlockHeader* Outgoing(ConnectionRecord* connection) =>
        (RingBlockHeader*)(connection->RingAddress + RingLayout.WriterBlockOffset(connection->Side, connection->Capacity));

    /// <summary>The block this end reads.</summary>
    public static RingBlockHeader* Incoming(ConnectionRecord* connection) =>
        (RingBlockHeader*)(connection->RingAddress + RingLayout.WriterBlockOffset(connection->Side ^ 1, connection->Capacity));

    /// <summary>First data byte of a block.</summary>
    public static byte* Data(RingBlockHeader* block) => (byte*)block + RingLayout.HeaderBytes;
}
