using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>A peer's region that a queue pair has been granted, mapped here as far as the router has given its pages.</summary>
internal unsafe struct RemoteRegion
{
    public uint Key, Access;
    public ulong Address, Length;

    /// <summary>Room for all its pages; those that this process may not have are no memory.</summary>
    public byte* Memory;
    public nuint MappedBytes;

    /// <summary>Offsets into the region between which it can be touched.</summary>
    public ulong From, To;

    public RemoteRegion* Next;

    /// <summary>Maps what the router has granted; null if memory is short, or the grant is not one.</summary>
    public static RemoteRegion* Map(in VerbsGrant grant, uint key, int* fds, int count)
    {
        RegionPages pages = new(grant.Offset, grant.Length);
        bool hasEdges = grant.HasEdges != 0 && pages.Edges != 0;
        if (count != (pages.Whole != 0 ? 1 : 0) + (hasEdges ? 1 : 0)) return null;
        RemoteRegion* region = (RemoteRegion*)Pages.Allocate((nuint)sizeof(RemoteRegion));
        if (region == null) return null;
        nuint bytes = (nuint)pages.All * Pages.Bytes;
        byte* memory = Pages.Map(null, bytes == 0 ? Pages.Bytes : bytes, 0, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS | Linux.MAP_NORESERVE, -1, 0);
        region->Key = key;
        region->Access = grant.Access;
        region->Address = grant.Address;
        region->Length = grant.Length;
        region->MappedBytes = bytes;
        int protection = (grant.Access & (Contract.VerbsProtocol.RemoteWrite | Contract.VerbsProtocol.RemoteAtomic)) != 0 ? Linux.PROT_READ | Linux.PROT_WRITE : Linux.PROT_READ;
        int edges = hasEdges ? fds[count - 1] : -1;
        bool ok = memory != null
            && Put(memory + (pages.FirstEdge * Pages.Bytes), pages.Whole, protection, fds[0], 0)
            && (!hasEdges || (Put(memory, pages.FirstEdge, protection, edges, grant.FirstPlace) && Put(memory + bytes - Pages.Bytes, pages.LastEdge, protection, edges, grant.LastPlace)));
        if (!ok)
        {
            if (memory != null) Pages.Unmap(memory, bytes);
            Pages.Free(region, (nuint)sizeof(RemoteRegion));
            return null;
        }
        region->Memory = memory + grant.Offset;
        ulong first = hasEdges || pages.FirstEdge == 0 ? 0 : Pages.Bytes - grant.Offset;
        ulong last = hasEdges || pages.LastEdge == 0 ? grant.Length : ((pages.All - 1) * Pages.Bytes) - grant.Offset;
        if (pages.Whole == 0 && !hasEdges) first = last = 0;
        region->From = first;
        region->To = last;
        return region;
    }

    public static void Free(RemoteRegion* region)
    {
        byte* start = (byte*)((nuint)region->Memory & ~(Pages.Bytes - 1));
        if (region->MappedBytes != 0) Pages.Unmap(start, region->MappedBytes);
        Pages.Free(region, (nuint)sizeof(RemoteRegion));
    }

    private static bool Put(byte* at, ulong pages, int protection, int fd, ulong offsetPages) =>
        pages == 0 || Pages.Map(at, (nuint)(pages * Pages.Bytes), protection, Linux.MAP_SHARED | Linux.MAP_FIXED, fd, (nuint)(offsetPages * Pages.Bytes)) != null;
}
