using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Fabric.Journal;

/// <summary>Rings in the memory of a program. Needs what a look into another program needs (proc(5), map_files).</summary>
internal static class MappedRings
{
    /// <summary>
    /// Where a program has what look like rings, by device and inode. A line is "from-to rw-s offset device inode name". A file of its own may have that name, too, and wait for
    /// a server of its own when it is opened, but not that device.
    /// </summary>
    public static Dictionary<(string Device, ulong Inode), string> Of(int process)
    {
        Dictionary<(string, ulong), string> rings = [];
        try
        {
            foreach (string line in File.ReadLines($"/proc/{process}/maps").Where(line => line.Contains("/memfd:" + Ring.Name, StringComparison.Ordinal)))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (ulong.TryParse(fields[4], CultureInfo.InvariantCulture, out ulong inode)) rings[(fields[3], inode)] = fields[0];
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { } // it is gone, or not to be looked at
        return rings;
    }

    /// <summary>A device of stat(2) as /proc/PID/maps writes it.</summary>
    public static string Device(ulong device) => $"{(device >> 8) & 0xfff:x2}:{(device & 0xff) | ((device >> 12) & 0xfff00):x2}";

    /// <summary>A descriptor of one that is known by device and inode, or −1.</summary>
    public static int TryOpen(int process, ulong device, ulong inode) =>
        Of(process).TryGetValue((Device(device), inode), out string? range) ? TryOpen(process, range, device, inode) : -1;

    /// <summary>As above, for one whose place in the program's memory is known.</summary>
    public static int TryOpen(int process, string range, ulong device, ulong inode)
    {
        int memory = Libc.open($"/proc/{process}/map_files/{range}", Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        if (memory < 0) return -1;
        if (Libc.fstat(memory, out FileStatus status) == 0 && (status.Device, status.Inode) == (device, inode)) return memory;
        Libc.close(memory);
        return -1;
    }
}
