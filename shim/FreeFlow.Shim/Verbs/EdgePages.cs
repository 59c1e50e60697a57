using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Pages at the edges of regions that others may use. Several regions can begin and end in one page, as small allocations do, so the pages of all of them lie in one memfd: where a page
/// lies there is its place in this table, which is found by its address. Under the lock of <see cref="PageMover"/>.
/// </summary>
internal static unsafe class EdgePages
{
    /// <summary>Twice what the regions of a process can have (VerbsClient.MostRegions).</summary>
    private const uint Capacity = 1 << 16;

    private const uint None = uint.MaxValue;

    private static int _fd;
    private static Entry* _entries;

    private struct Entry
    {
        /// <summary>0: there has been none here; others are looked for behind it.</summary>
        public nuint Address;
        public uint Users;
    }

    /// <summary>The memfd's inode; 0 before there is one.</summary>
    public static ulong Inode { get; private set; }

    /// <summary>The memfd, which stays this table's; −1 before there is one.</summary>
    public static int Descriptor => _fd > 0 ? _fd : -1;

    /// <summary>True if the page lies in the memfd already, for another region.</summary>
    public static bool Has(byte* page) => Find(page) != None;

    /// <summary>True if more than one region has the page.</summary>
    public static bool IsShared(byte* page)
    {
        uint at = Find(page);
        return at != None && _entries[at].Users > 1;
    }

    /// <summary>One region more has the page. False if there is no room, or no memfd to be had.</summary>
    public static bool Add(byte* page, out uint place)
    {
        place = Find(page);
        if (place != None) { _entries[place].Users++; return true; }
        if (!Create()) return false;
        for (uint step = 0, at = First(page); step < Capacity; step++, at = (at + 1) % Capacity)
        {
            if (_entries[at].Users != 0) continue;
            _entries[at] = new Entry { Address = (nuint)page, Users = 1 };
            place = at;
            return true;
        }
        return false;
    }

    /// <summary>One region less has it; true if that was the last one: its place is free.</summary>
    public static bool Remove(byte* page)
    {
        uint at = Find(page);
        if (at == None || --_entries[at].Users != 0) return false;
        // Nothing is looked for behind the end of a row.
        for (; _entries[(at + 1) % Capacity].Address == 0 && _entries[at] is { Address: not 0, Users: 0 }; at = (at + Capacity - 1) % Capacity) _entries[at].Address = 0;
        return true;
    }

    /// <summary>In a forked child: the pages are its parent's.</summary>
    public static void ForgetAfterFork()
    {
        if (_fd > 0) Control.OwnDescriptors.Close(_fd);
        _fd = 0;
        Inode = 0;
        if (_entries != null) Pages.Free(_entries, (nuint)(Capacity * sizeof(Entry)));
        _entries = null;
    }

    private static uint Find(byte* page)
    {
        if (_entries == null) return None;
        for (uint step = 0, at = First(page); step < Capacity && _entries[at].Address != 0; step++, at = (at + 1) % Capacity)
            if (_entries[at].Address == (nuint)page && _entries[at].Users != 0) return at;
        return None;
    }

    private static uint First(byte* page) => (uint)(((nuint)page / Pages.Bytes * 0x9E3779B97F4A7C15) >> 48) % Capacity;

    /// <summary>A sparse file of fixed size: it takes what its pages take.</summary>
    private static bool Create()
    {
        if (_fd > 0) return true;
        const int fileSize = 1; // RLIMIT_FSIZE, of which the kernel would tell by a signal
        const ulong bytes = Capacity * (ulong)Pages.Bytes;
        RLimit limit;
        if (Process.Libc->getrlimit(fileSize, &limit) != 0 || limit.Soft < bytes) return false;
        int fd;
        fixed (byte* name = "freeflow-edges\0"u8) fd = Control.OwnDescriptors.Adopt(Process.Libc->memfd_create(name, Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING));
        if (fd < 0) return false;
        ulong* status = stackalloc ulong[18]; // struct stat has the inode second
        nint seals = Linux.F_SEAL_SHRINK | Linux.F_SEAL_GROW | Linux.F_SEAL_SEAL;
        Entry* entries = (Entry*)Pages.Allocate((nuint)(Capacity * sizeof(Entry)));
        if (entries == null || Process.Libc->ftruncate(fd, (long)bytes) != 0 || Process.Libc->fcntl(fd, Linux.F_ADD_SEALS, (void*)seals) != 0
            || Process.Kernel(Linux.SYS_fstat, fd, (nint)status, 0, 0, 0, 0) != 0)
        {
            Control.OwnDescriptors.Close(fd);
            Pages.Free(entries, (nuint)(Capacity * sizeof(Entry)));
            return false;
        }
        _entries = entries;
        _fd = fd;
        Inode = status[1];
        return true;
    }
}
