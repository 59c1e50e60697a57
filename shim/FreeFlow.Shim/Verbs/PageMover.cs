using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Moves pages of the program into a memfd, and back, without losing a store: made read-only, copied, replaced in one step. A thread that stores meanwhile faults, waits in the handler
/// (native/verbs.c), and stores again into the new page. Loads are right at all times. A system call that writes into the range in that while answers EFAULT.
/// </summary>
internal static unsafe class PageMover
{
    private static uint _lock;
    private static MemoryRegion* _first;

    /// <summary>
    /// Moves all pages of the region but those at its edges that another region has moved already. The descriptor of its whole pages is the caller's, that of its edges is <see
    /// cref="EdgePages"/>'. 0, or an errno with everything as it was.
    /// </summary>
    public static int Move(MemoryRegion* region, bool isWritable, int* wholeFd)
    {
        RegionPages pages = region->Pages;
        *wholeFd = -1;
        if (!ThreadLock.Enter(LockWord())) return Linux.EAGAIN;
        byte* from = region->Start, to = region->Start + region->MovedBytes, last = to - Pages.Bytes;
        bool sharesFirst = pages.FirstEdge != 0 && EdgePages.Has(from), sharesLast = pages.LastEdge != 0 && EdgePages.Has(last);
        if (sharesFirst) from += Pages.Bytes;
        if (sharesLast) to = last;
        bool isThere = (!sharesFirst || MemoryMap.IsOf(region->Start, Pages.Bytes, 0, EdgePages.Inode)) && (!sharesLast || MemoryMap.IsOf(last, Pages.Bytes, 0, EdgePages.Inode));
        int error = isThere && (from >= to || MemoryMap.IsMovable(from, (nuint)(to - from))) ? 0 : Linux.EOPNOTSUPP;
        if (error == 0) *wholeFd = Create(pages.Whole, &region->WholeInode, ref error);
        bool hasFirst = error == 0 && pages.FirstEdge != 0 && EdgePages.Add(region->Start, out region->FirstPlace);
        bool hasLast = error == 0 && pages.LastEdge != 0 && EdgePages.Add(last, out region->LastPlace);
        if (error == 0 && (hasFirst != (pages.FirstEdge != 0) || hasLast != (pages.LastEdge != 0))) error = Linux.ENOMEM;
        region->EdgesInode = pages.Edges != 0 ? EdgePages.Inode : 0;
        if (error == 0 && from < to)
        {
            Begin(region->Start, region->MovedBytes);
            if (!Pages.Protect(from, (nuint)(to - from), Linux.PROT_READ)) error = Linux.ENOMEM;
            if (error == 0 && !CopyOut(region, *wholeFd, sharesFirst, sharesLast)) error = Linux.ENOMEM;
            if (error != 0) Pages.Protect(from, (nuint)(to - from), Linux.PROT_READ | Linux.PROT_WRITE);
            else Map(region, *wholeFd, sharesFirst, sharesLast);
            Finish();
        }
        if (error == 0)
        {
            Seal(*wholeFd, isWritable);
            region->NextMoved = _first;
            _first = region;
        }
        else
        {
            if (hasFirst) _ = EdgePages.Remove(region->Start);
            if (hasLast) _ = EdgePages.Remove(last);
        }
        ThreadLock.Exit(LockWord());
        return error;
    }

    /// <summary>
    /// Gives the region private pages again, with what is in them now; who has mapped the old ones keeps those. Leaves alone what the program has replaced itself, and pages that another
    /// region has, too.
    /// </summary>
    public static void MoveBack(MemoryRegion* region)
    {
        if (!ThreadLock.Enter(LockWord())) return;
        if (_first == region) _first = region->NextMoved;
        else for (MemoryRegion* before = _first; before != null; before = before->NextMoved) if (before->NextMoved == region) before->NextMoved = region->NextMoved;
        RegionPages pages = region->Pages;
        byte* from = region->Start, to = region->Start + region->MovedBytes, last = to - Pages.Bytes;
        bool sharesFirst = pages.FirstEdge != 0 && EdgePages.IsShared(from), sharesLast = pages.LastEdge != 0 && EdgePages.IsShared(last);
        if (sharesFirst) from += Pages.Bytes;
        if (sharesLast) to = last;
        nuint bytes = from < to ? (nuint)(to - from) : 0;
        byte* copy = bytes != 0 && MemoryMap.IsOf(from, bytes, region->WholeInode, region->EdgesInode) ? Pages.Allocate(bytes) : null;
        bool isBack = false;
        if (copy != null)
        {
            Begin(from, bytes);
            isBack = Pages.Protect(from, bytes, Linux.PROT_READ) && Process.Copy(copy, from, bytes) == 0 && Pages.Replace(from, copy, bytes);
            if (!isBack) Pages.Protect(from, bytes, Linux.PROT_READ | Linux.PROT_WRITE);
            Finish();
            if (!isBack) Pages.Free(copy, bytes);
        }
        if (pages.FirstEdge != 0) Leave(region->Start, region->FirstPlace, sharesFirst, isBack);
        if (pages.LastEdge != 0) Leave(last, region->LastPlace, sharesLast, isBack);
        ThreadLock.Exit(LockWord());
    }

    /// <summary>The page at an edge is one region's less. Its place is nobody else's while the program still has it mapped.</summary>
    private static void Leave(byte* page, uint place, bool isShared, bool isBack)
    {
        const int SysFallocate = 285, punchHoleKeepSize = 3;
        if (!isShared && !isBack && MemoryMap.IsOf(page, Pages.Bytes, 0, EdgePages.Inode)) return;
        if (EdgePages.Remove(page)) Process.Kernel(SysFallocate, EdgePages.Descriptor, punchHoleKeepSize, (nint)(place * Pages.Bytes), (nint)Pages.Bytes, 0, 0);
    }

    /// <summary>Before a fork: a copy of everything that is moved, which the child puts in its place. Stores of other threads wait until the fork is over.</summary>
    public static void BeforeFork()
    {
        if (_first == null || !ThreadLock.Enter(LockWord())) return;
        byte* least = (byte*)nuint.MaxValue, most = null;
        for (MemoryRegion* region = _first; region != null; region = region->NextMoved)
        {
            if (region->Start < least) least = region->Start;
            if (region->Start + region->MovedBytes > most) most = region->Start + region->MovedBytes;
        }
        Begin(least, (nuint)(most - least));
        for (MemoryRegion* region = _first; region != null; region = region->NextMoved)
        {
            nuint bytes = region->MovedBytes;
            region->Snapshot = MemoryMap.IsOf(region->Start, bytes, region->WholeInode, region->EdgesInode) ? Pages.Allocate(bytes) : null;
        }
        // Only then: the next region may have the same page, and is looked for among writable ones.
        for (MemoryRegion* region = _first; region != null; region = region->NextMoved)
        {
            if (region->Snapshot == null) continue;
            Pages.Protect(region->Start, region->MovedBytes, Linux.PROT_READ);
            _ = Process.Copy(region->Snapshot, region->Start, region->MovedBytes);
        }
    }

    public static void AfterForkInParent()
    {
        if (!IsHeldByFork()) return;
        for (MemoryRegion* region = _first; region != null; region = region->NextMoved)
        {
            if (region->Snapshot == null) continue;
            Pages.Protect(region->Start, region->MovedBytes, Linux.PROT_READ | Linux.PROT_WRITE);
            Pages.Free(region->Snapshot, region->MovedBytes);
            region->Snapshot = null;
        }
        Finish();
        ThreadLock.Exit(LockWord());
    }

    /// <summary>The child has nothing in common with its parent any more.</summary>
    public static void AfterForkInChild()
    {
        EdgePages.ForgetAfterFork();
        if (!IsHeldByFork()) return;
        for (MemoryRegion* region = _first; region != null; region = region->NextMoved)
        {
            if (region->Snapshot != null) Pages.Replace(region->Start, region->Snapshot, region->MovedBytes);
            region->Snapshot = null;
            region->IsMoved = false;
        }
        _first = null;
        Finish();
        _lock = 0;
    }

    private static bool IsHeldByFork() => _first != null && Volatile.Read(ref *LockWord()) != 0 && Seam.Moving[1] != 0;

    private static int Create(ulong pages, ulong* inode, ref int error)
    {
        *inode = 0;
        if (pages == 0) return -1;
        int fd;
        fixed (byte* name = "freeflow-region\0"u8) fd = Process.Libc->memfd_create(name, Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING);
        ulong* status = stackalloc ulong[18]; // struct stat has the inode second
        if (fd >= 0 && Process.Libc->ftruncate(fd, (long)(pages * Pages.Bytes)) == 0 && Process.Libc->syscall(Linux.SYS_fstat, fd, (nint)status, 0, 0, 0) == 0)
        {
            *inode = status[1];
            return fd;
        }
        error = fd < 0 ? Process.Errno : Linux.ENOMEM;
        return fd;
    }

    private static bool CopyOut(MemoryRegion* region, int wholeFd, bool sharesFirst, bool sharesLast)
    {
        RegionPages pages = region->Pages;
        return (pages.FirstEdge == 0 || sharesFirst || Write(EdgePages.Descriptor, region->Start, Pages.Bytes, region->FirstPlace * (ulong)Pages.Bytes))
            && (pages.LastEdge == 0 || sharesLast || Write(EdgePages.Descriptor, region->Start + region->MovedBytes - Pages.Bytes, Pages.Bytes, region->LastPlace * (ulong)Pages.Bytes))
            && (pages.Whole == 0 || Write(wholeFd, region->Start + (pages.FirstEdge * Pages.Bytes), (nuint)(pages.Whole * Pages.Bytes), 0));
    }

    private static bool Write(int fd, byte* from, nuint bytes, ulong offset)
    {
        for (nuint done = 0; done < bytes;)
        {
            const int SysPwrite = 18;
            nint step = Process.Kernel(SysPwrite, fd, (nint)(from + done), (nint)(bytes - done), (nint)(offset + done), 0, 0);
            if (step == -Linux.EINTR) continue;
            if (step <= 0) return false;
            done += (nuint)step;
        }
        return true;
    }

    private static void Map(MemoryRegion* region, int wholeFd, bool sharesFirst, bool sharesLast)
    {
        RegionPages pages = region->Pages;
        const int protection = Linux.PROT_READ | Linux.PROT_WRITE, flags = Linux.MAP_SHARED | Linux.MAP_FIXED;
        if (pages.FirstEdge != 0 && !sharesFirst) Pages.Map(region->Start, Pages.Bytes, protection, flags, EdgePages.Descriptor, region->FirstPlace * Pages.Bytes);
        if (pages.LastEdge != 0 && !sharesLast) Pages.Map(region->Start + region->MovedBytes - Pages.Bytes, Pages.Bytes, protection, flags, EdgePages.Descriptor, region->LastPlace * Pages.Bytes);
        if (pages.Whole != 0) Pages.Map(region->Start + (pages.FirstEdge * Pages.Bytes), (nuint)(pages.Whole * Pages.Bytes), protection, flags, wholeFd, 0);
    }

    /// <summary>Its size can change no more; where others may only read, nobody gets a writable mapping from now on.</summary>
    private static void Seal(int fd, bool isWritable)
    {
        int seals = Linux.F_SEAL_SHRINK | Linux.F_SEAL_GROW | Linux.F_SEAL_SEAL | (isWritable ? 0 : Numbers.F_SEAL_FUTURE_WRITE);
        if (fd >= 0) _ = Process.Libc->fcntl(fd, Linux.F_ADD_SEALS, (void*)seals);
    }

    private static void Begin(byte* start, nuint bytes)
    {
        Volatile.Write(ref Seam.Moving[0], (nuint)start);
        Volatile.Write(ref Seam.Moving[1], (nuint)start + bytes);
        Thread.MemoryBarrier();
    }

    private static void Finish()
    {
        Volatile.Write(ref Seam.Moving[2], Seam.Moving[2] + 1);
        Volatile.Write(ref Seam.Moving[1], 0);
        Volatile.Write(ref Seam.Moving[0], 0);
    }

    private static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);
}
