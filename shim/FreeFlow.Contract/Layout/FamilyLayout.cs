namespace FreeFlow.Contract.Layout;

/// <summary>
/// The family table: one sealed memfd per process family (a process and what it forks without exec), made by the shim and shown to the
/// router in Hello. Header page, session slots, connection records, doorbells. The router reads records for status and writes only mailboxes.
/// </summary>
public static class FamilyLayout
{
    /// <summary>"FFT8", read as a little-endian word.</summary>
    public const uint Magic = 0x38544646;
    public const uint Version = 8;
    public const int HeaderBytes = 4096;

    /// <summary>Totals of services, in the rest of the header page. The last place is for those that find none.</summary>
    public const int ServicesOffset = 1024;
    public const int ServiceBytes = 64;
    public const int ServiceCount = (HeaderBytes - ServicesOffset) / ServiceBytes;

    /// <summary>Counters by reason in the header.</summary>
    public const int ReasonCount = 64;

    public const int SlotBytes = 64;
    public const uint SlotCount = 1024;
    public const int SlotsOffset = HeaderBytes;

    public const int RecordBytes = 384;
    public const uint RecordCount = 65536;
    public const int RecordsOffset = SlotsOffset + (SlotBytes * (int)SlotCount);

    /// <summary>
    /// Of a record's flags, the one that is not the shim's: set by whoever traces the connection, so that what its ring has carried stays there
    /// until the ring has gone round.
    /// </summary>
    public const uint TracedFlag = 1u << 31;

    public const int DoorbellBytes = 32;
    public const int DoorbellsOffset = RecordsOffset + (RecordBytes * (int)RecordCount);

    /// <summary>Bytes of the whole memfd; sparse, so only what is used is resident.</summary>
    public const long TotalBytes = DoorbellsOffset + ((long)DoorbellBytes * RecordCount);
}
