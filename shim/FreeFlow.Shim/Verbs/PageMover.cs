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

    /// <summary>Moves all pages of the region; its descriptors are the caller's. 0, or an errno with everything as it was.</summary>
    public static int Move(MemoryRegion* region, bool isWritable, int* wholeFd, int* edgesFd)
    {
        RegionPages pages = region->Pages;
        *wholeFd = *edgesFd = -1;
        if (!ThreadLock.Enter(LockWord())) return Linux.EAGAIN;
        int error = MemoryMap.IsMovable(region->Start, region->MovedBytes) ? 0 : Linux.EOPNOTSUPP;
        if (error == 0) *wholeFd = Create(pages.Whole, &region->WholeInode, ref error);
        if (error == 0) *edgesFd = Create(pages.Edges, &region->EdgesInode, ref error);
        if (error == 0)
        {
            Begin(region->Start, region->MovedBytes);
            if (!Pages.Protect(region->Start, region->MovedBytes, Linux.PROT_READ)) error = Linux.ENOMEM;
            if (error == 0 && !CopyOut(region, *wholeFd, *edgesFd)) error = Linux.ENOMEM;
            if (error != 0) Pages.Protect(region->Start, region->MovedBytes, Linux.PROT_READ | Linux.PROT_WRITE);
            else Map(region, *wholeFd, *edgesFd);
            Finish();
        }
        if (error == 0)
        {
            Seal(*wholeFd, isWritable);
            Seal(*edgesFd, isWritable);
            region->NextMoved = _first;
            _first = region;
        }
        ThreadLock.Exit(LockWord());
        return error;
    }

    /// <summary>Gives the region private pages again, with what is in them now; who has mapped the old ones keeps those. Leaves alone what the program has replaced itself.</summary>
    public static void MoveBack(MemoryRegion* region)
    {
        if (!ThreadLock.Enter(LockWord())) return;
        if (_first == region) _first = region->NextMoved;
        else for (MemoryRegion* before = _first; before != null; before = before->NextMoved) if (before->NextMoved == region) before->NextMoved = region->NextMoved;
        nuint bytes = region->MovedBytes;
        byte* copy = MemoryMap.IsOf(region->Start, bytes, region->WholeInode, region->EdgesInode) ? Pages.Allocate(bytes) : null;
        if (copy != null)
        {
            Begin(region->Start, bytes);
            if (Pages.Protect(region->Start, bytes, Linux.PROT_READ) && Process.Copy(copy, region->Start, bytes) == 0 && Pages.Replace(region->Start, copy, bytes)) copy = null;
            else Pages.Protect(region->Start, bytes, Linux.PROT_READ | Linux.PROT_WRITE);
            Finish();
            Pages.Free(copy, bytes);
        }
        ThreadLock.Exit(LockWord());
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
            if (region->Snapshot == null) continue;
            Pages.Protect(region->Start, bytes, Linux.PROT_READ);
            _ = Process.Copy(region->Snapshot, region->Start, bytes);
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

    private static bool CopyOut(MemoryRegion* region, int wholeFd, int edgesFd)
    {
        RegionPages pages = region->Pages;
        return (pages.FirstEdge == 0 || Write(edgesFd, region->Start, Pages.Bytes, 0))
            && (pages.LastEdge == 0 || Write(edgesFd, region->Start + region->MovedBytes - Pages.Bytes, Pages.Bytes, pages.FirstEdge * Pages.Bytes))
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

    private static void Map(MemoryRegion* region, int wholeFd, int edgesFd)
    {
        RegionPages pages = region->Pages;
        const int protection = Linux.PROT_READ | Linux.PROT_WRITE, flags = Linux.MAP_SHARED | Linux.MAP_FIXED;
        if (pages.FirstEdge != 0) Pages.Map(region->Start, Pages.Bytes, protection, flags, edgesFd, 0);
        if (pages.LastEdge != 0) Pages.Map(region->Start + region->MovedBytes - Pages.Bytes, Pages.Bytes, protection, flags, edgesFd, (nuint)(pages.FirstEdge * Pages.Bytes));
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
