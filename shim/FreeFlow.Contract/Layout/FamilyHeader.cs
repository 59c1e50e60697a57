using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>First page of the family table. Version 8, little endian.</summary>
[StructLayout(LayoutKind.Explicit, Size = FamilyLayout.HeaderBytes)]
public unsafe struct FamilyHeader
{
    [FieldOffset(0)] public uint Magic;
    [FieldOffset(4)] public uint Version;
    [FieldOffset(8)] public uint SlotCount;
    [FieldOffset(12)] public uint RecordCount;

    /// <summary>Records below this index have been used at least once.</summary>
    [FieldOffset(16)] public uint RecordsUsed;

    /// <summary>Where the search for a free record starts; a hint.</summary>
    [FieldOffset(20)] public uint NextRecord;

    /// <summary>Bytes that connections whose record has been freed had sent into rings: what the router's total would lose with the record.</summary>
    [FieldOffset(24)] public ulong RingBytes;

    /// <summary>Connections that FREEFLOW_STRICT has refused.</summary>
    [FieldOffset(32)] public ulong Refused;

    /// <summary>Ended connections that no ring has carried, by their last <see cref="Reason"/>.</summary>
    [FieldOffset(64)] public fixed uint EndedByReason[FamilyLayout.ReasonCount];
}
