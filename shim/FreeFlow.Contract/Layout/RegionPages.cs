namespace FreeFlow.Contract.Layout;

/// <summary>
/// How a memory region lies in pages, and where its bytes lie in the two memfds that share it: whole pages in one, the pages at its edges, which hold other bytes too, in the other, at places that are told.
/// <code>
///  page      0          1        …                last
///       ┌────────┬──────────┬──────────┬──────────┬────────┐
///       │   ▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒│▒▒▒     │   ▒: the region, Offset bytes into page 0
///       └────────┴──────────┴──────────┴──────────┴────────┘
///       an edge   whole: 0      1          …        an edge
/// </code>
/// </summary>
/// <param name="offset">Bytes of page 0 in front of the region.</param>
/// <param name="length">Bytes of the region.</param>
public readonly struct RegionPages(uint offset, ulong length)
{
    /// <summary>Largest region, in bytes.</summary>
    public const ulong MaximumBytes = 1UL << 40;

    public static bool IsValid(uint offset, ulong length) => offset < VerbsProtocol.PageBytes && length <= MaximumBytes;

    /// <summary>Pages that have a byte of the region.</summary>
    public ulong All => length == 0 ? 0 : (offset + length + VerbsProtocol.PageBytes - 1) / VerbsProtocol.PageBytes;

    /// <summary>1 if page 0 has other bytes than the region's in front of it, or is the only page and not whole.</summary>
    public ulong FirstEdge => length != 0 && (offset != 0 || length < VerbsProtocol.PageBytes) ? 1UL : 0;

    /// <summary>1 if the last page is not page 0 and not whole.</summary>
    public ulong LastEdge => All > 1 && (offset + length) % VerbsProtocol.PageBytes != 0 ? 1UL : 0;

    /// <summary>Pages that lie in the memfd of edges.</summary>
    public ulong Edges => FirstEdge + LastEdge;

    /// <summary>Pages in the memfd of whole pages.</summary>
    public ulong Whole => All - Edges;
}
