using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>A memory region that a process lets others use: what it said of it, and the memfds that hold its pages.</summary>
internal sealed unsafe class VerbsRegion : IDisposable
{
    private readonly int _whole, _edges;

    private readonly UserAccount _account;

    private VerbsRegion(in VerbsRegister request, int whole, int edges, UserAccount account)
    {
        _account = account;
        Domain = request.Domain;
        Access = request.Access;
        Address = request.Address;
        Length = request.Length;
        Offset = request.Offset;
        FirstPlace = request.FirstPlace;
        LastPlace = request.LastPlace;
        _whole = whole;
        _edges = edges;
    }

    public uint Domain { get; }
    public uint Access { get; }
    public ulong Address { get; }
    public ulong Length { get; }
    public uint Offset { get; }

    /// <summary>Where the pages at its edges lie in their memfd, in pages.</summary>
    public uint FirstPlace { get; }
    public uint LastPlace { get; }

    /// <summary>Somebody has been given its pages.</summary>
    public bool WasGranted { get; set; }

    public RegionPages Pages => new(Offset, Length);

    /// <summary>Null if the descriptors are not what they must be: memfds of fixed size with exactly these pages. Takes them over then, and leaves −1 in their places.</summary>
    public static VerbsRegion? TryCreate(in VerbsRegister request, Span<int> descriptors, UserAccount account)
    {
        RegionPages pages = new(request.Offset, request.Length);
        int expected = (pages.Whole != 0 ? 1 : 0) + (pages.Edges != 0 ? 1 : 0);
        if (expected == 0 || descriptors.Length != expected) return null;
        if (pages.Whole != 0 && (!Holds(descriptors[0], out ulong whole) || whole != pages.Whole)) return null;
        if (pages.Edges != 0 && (!Holds(descriptors[^1], out ulong edges) || request.FirstPlace >= edges || request.LastPlace >= edges)) return null;
        VerbsRegion region = new(request, pages.Whole != 0 ? descriptors[0] : -1, pages.Edges != 0 ? descriptors[^1] : -1, account);
        account.VerbsDescriptors += Descriptors(region);
        descriptors.Fill(-1);
        return region;
    }

    /// <summary>Descriptors for somebody with these rights; they are this region's, or copies that the caller closes.</summary>
    public int[] Give(uint access, bool withEdges, out bool areCopies)
    {
        const uint writes = VerbsProtocol.RemoteWrite | VerbsProtocol.RemoteAtomic;
        // Where the asker's queue pair may not write: a descriptor for reading only.
        areCopies = (access & writes) == 0;
        int whole = areCopies && _whole >= 0 ? ForReading(_whole) : _whole, edges = !withEdges ? -1 : areCopies && _edges >= 0 ? ForReading(_edges) : _edges;
        return (whole, edges) switch
        {
            ( >= 0, >= 0) => [whole, edges],
            ( >= 0, _) => [whole],
            (_, >= 0) => [edges],
            _ => [],
        };
    }

    /// <summary>Reads bytes at an offset into the region; false if they are not all in one page of it.</summary>
    public bool TryRead(ulong offset, Span<byte> target)
    {
        if (!TryLocate(offset, (ulong)target.Length, out int memory, out long position)) return false;
        fixed (byte* bytes = target) return Libc.pread(memory, bytes, (nuint)target.Length, position) == target.Length;
    }

    /// <summary>Likewise.</summary>
    public bool TryWrite(ulong offset, ReadOnlySpan<byte> source)
    {
        if (!TryLocate(offset, (ulong)source.Length, out int memory, out long position)) return false;
        // By write(2) this would wait for whoever writes there now, from memory that may be served by a program of its own.
        if (TryMap(memory, position, out byte* place) is not { } page) return false;
        source.CopyTo(new Span<byte>(place, source.Length));
        Libc.munmap((void*)page, (nuint)VerbsProtocol.PageBytes);
        return true;
    }

    /// <summary>Compares and swaps, or fetches and adds, 8 bytes; atomic for every processor.</summary>
    public bool TryAtomic(ulong offset, bool isAdd, ulong first, ulong second, out ulong before)
    {
        before = 0;
        if (!TryLocate(offset, sizeof(ulong), out int memory, out long position) || position % sizeof(ulong) != 0) return false;
        if (TryMap(memory, position, out byte* place) is not { } page) return false;
        ref ulong word = ref *(ulong*)place;
        before = isAdd ? Interlocked.Add(ref word, first) - first : Interlocked.CompareExchange(ref word, second, first);
        Libc.munmap((void*)page, (nuint)VerbsProtocol.PageBytes);
        return true;
    }

    public void Dispose()
    {
        _account.VerbsDescriptors -= Descriptors(this);
        // Much memory takes its time to be freed.
        if (_whole >= 0) ForeignDescriptors.Close(_whole, _account);
        if (_edges >= 0) ForeignDescriptors.Close(_edges, _account);
    }

    private bool TryLocate(ulong offset, ulong length, out int memory, out long position)
    {
        ulong at = Offset + offset, page = at / VerbsProtocol.PageBytes, inPage = at % VerbsProtocol.PageBytes;
        memory = -1;
        position = 0;
        if (length > Length || offset > Length - length || inPage + length > VerbsProtocol.PageBytes) return false;
        RegionPages pages = Pages;
        bool isFirst = page == 0 && pages.FirstEdge != 0, isLast = page == pages.All - 1 && pages.LastEdge != 0;
        memory = isFirst || isLast ? _edges : _whole;
        ulong inFile = isFirst ? FirstPlace : isLast ? LastPlace : page - pages.FirstEdge;
        position = (long)((inFile * VerbsProtocol.PageBytes) + inPage);
        return memory >= 0;
    }

    private static ulong Descriptors(VerbsRegion region) => (region._whole >= 0 ? 1u : 0u) + (region._edges >= 0 ? 1u : 0u);

    /// <summary>Maps the page of a place in the file; null if that cannot be had.</summary>
    private static nint? TryMap(int memory, long position, out byte* place)
    {
        long page = position & ~((long)VerbsProtocol.PageBytes - 1);
        void* mapped = Libc.mmap(null, (nuint)VerbsProtocol.PageBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, memory, page);
        place = (byte*)mapped + (position - page);
        return mapped == Libc.MAP_FAILED ? null : (nint)mapped;
    }

    private static int ForReading(int memory) => Libc.open($"/proc/self/fd/{memory}", Libc.O_RDONLY | Libc.O_CLOEXEC);

    /// <summary>True for a memfd of fixed size; how many pages it has.</summary>
    private static bool Holds(int memory, out ulong pages)
    {
        pages = 0;
        int seals = Libc.fcntl(memory, Libc.F_GET_SEALS, 0);
        const int needed = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW;
        if (seals < 0 || (seals & needed) != needed || Libc.fstat(memory, out FileStatus status) != 0 || !SealedMemory.IsOfUsualPages(status)) return false;
        pages = (ulong)status.Size / VerbsProtocol.PageBytes;
        return (ulong)status.Size % VerbsProtocol.PageBytes == 0;
    }
}
