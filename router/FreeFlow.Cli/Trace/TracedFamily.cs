using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;

namespace FreeFlow.Cli.Trace;

/// <summary>The family table of a process with the shim, found among its descriptors. What stands in it is the process's word.</summary>
internal sealed unsafe class TracedFamily : IDisposable
{
    private const string Name = "/memfd:freeflow-family", Library = "libfreeflow";

    private readonly byte* _memory;

    private TracedFamily(int process, string program, byte* memory, (ulong, ulong) identity)
    {
        _memory = memory;
        (Process, Program, Identity) = (process, program, identity);
        Processes.Add(process);
    }

    /// <summary>The one that was found first.</summary>
    public int Process { get; }

    /// <summary>Its processes, as far as they were found. A ring may be mapped in one of them alone.</summary>
    public HashSet<int> Processes { get; } = [];

    /// <summary>That one's name.</summary>
    public string Program { get; }

    /// <summary>Device and inode of the table.</summary>
    public (ulong Device, ulong Inode) Identity { get; }

    /// <summary>Records below this index have been used.</summary>
    public uint RecordsUsed => Math.Min(((FamilyHeader*)_memory)->RecordsUsed, FamilyLayout.RecordCount);

    /// <summary>Null if the process has none (yet), has ended, or may not be looked at.</summary>
    /// <param name="process">Its pid.</param>
    /// <param name="denied">It may not be looked at.</param>
    /// <param name="hasShim">It has the shim, and so may have a table soon.</param>
    public static TracedFamily? Open(int process, out bool denied, out bool hasShim)
    {
        denied = hasShim = false;
        try
        {
            // The router has the table, too, and none of the rings.
            hasShim = File.ReadAllText($"/proc/{process}/maps").Contains(Library, StringComparison.Ordinal);
            if (!hasShim) return null;
            foreach (string descriptor in Directory.EnumerateFiles($"/proc/{process}/fd"))
            {
                if (new FileInfo(descriptor).LinkTarget is not { } target || !target.StartsWith(Name, StringComparison.Ordinal)) continue;
                // Whatever a stranger has given this name, opening it must not wait.
                int file = Libc.open(descriptor, Libc.O_RDWR | Libc.O_CLOEXEC | Libc.O_NONBLOCK);
                if (file < 0) continue;
                try
                {
                    byte* memory = Map(file, out (ulong, ulong) identity);
                    if (memory != null) return new TracedFamily(process, File.ReadAllText($"/proc/{process}/comm").TrimEnd(), memory, identity);
                }
                finally { Libc.close(file); }
            }
        }
        catch (UnauthorizedAccessException) { denied = true; }
        catch (IOException) { /* It has ended. */ }
        return null;
    }

    /// <summary>A copy of a record.</summary>
    public ConnectionRecord Read(uint index) => *Record(index);

    /// <summary>Asks the writer of a record's ring not to begin again at its beginning, so that what it has written stays for a while; or not any more.</summary>
    public void Mark(uint index, bool traced)
    {
        ref uint flags = ref Unsafe.AsRef<uint>(&Record(index)->Flags);
        if (traced) Interlocked.Or(ref flags, FamilyLayout.TracedFlag);
        else Interlocked.And(ref flags, ~FamilyLayout.TracedFlag);
    }

    public void Dispose() => Libc.munmap(_memory, (nuint)FamilyLayout.TotalBytes);

    private ConnectionRecord* Record(uint index) => (ConnectionRecord*)(_memory + FamilyLayout.RecordsOffset) + index;

    private static byte* Map(int file, out (ulong, ulong) identity)
    {
        identity = default;
        // Nobody can take away the memory under our feet: its size is sealed.
        int seals = Libc.fcntl(file, Libc.F_GET_SEALS, 0);
        if (seals < 0 || (seals & SealedMemory.SizeSeals) != SealedMemory.SizeSeals || Libc.fstat(file, out FileStatus status) != 0 || status.Size != FamilyLayout.TotalBytes) return null;
        void* memory = Libc.mmap(null, (nuint)FamilyLayout.TotalBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, file, 0);
        if (memory == Libc.MAP_FAILED) return null;
        FamilyHeader* header = (FamilyHeader*)memory;
        if (header->Magic != FamilyLayout.Magic || header->Version != FamilyLayout.Version)
        {
            Libc.munmap(memory, (nuint)FamilyLayout.TotalBytes);
            return null;
        }
        identity = (status.Device, status.Inode);
        return (byte*)memory;
    }
}
