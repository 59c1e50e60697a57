using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Fabric.Journal;

/// <summary>
/// Mirrored rings whose router has been killed or stopped while their programs sleep elsewhere: what those had sent would lie there until their next call. The router that comes after it knows them from its journal,
/// finds them in the programs' memory, and stands in (<see cref="StandIn"/>). Needs what a look into another program needs (proc(5), map_files).
/// </summary>
internal static unsafe class AbandonedRings
{
    /// <summary>Begins to look; returns at once.</summary>
    public static void TakeUp(RingJournal journal, Log log)
    {
        if (journal.Left.Count == 0) return;
        bool begun = Threads.TryBegin("abandoned rings", () =>
        {
            int taken = journal.Left.GroupBy(left => left.Ring.Process).Sum(process => TakeUp(process.Key, process));
            if (taken != 0) log.Line($"the router before this one has left bytes of programs in {taken} {(taken == 1 ? "ring" : "rings")}: they go by the kernel");
        });
        if (!begun) log.Line($"{Threads.NoneToBeHad} to look for what the router before this one has left: the next start will");
    }

    /// <summary>Looks through one program's memory; the number of rings in which something was left to do.</summary>
    internal static int TakeUp(int process, IEnumerable<(JournaledRing Ring, Action Done)> left)
    {
        Dictionary<(string Device, ulong Inode), string> mapped = RingsOf(process);
        Dictionary<ulong, int> sockets = mapped.Count == 0 ? [] : OpenDescriptors.Sockets(process);
        int taken = 0;
        foreach ((JournaledRing ring, Action done) in left)
        {
            if (mapped.TryGetValue((Device(ring.MemoryDevice), ring.MemoryInode), out string? range) && TryTakeUp(ring, $"/proc/{process}/map_files/{range}", sockets, done)) taken++;
            else done();
        }
        return taken;
    }

    /// <summary>Where a program has what look like rings. A line is "from-to rw-s offset device inode name". A file of its own may have that name, too, and wait for a server of its own when it is opened, but not that device.</summary>
    private static Dictionary<(string Device, ulong Inode), string> RingsOf(int process)
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
    private static string Device(ulong device) => $"{(device >> 8) & 0xfff:x2}:{(device & 0xff) | ((device >> 12) & 0xfff00):x2}";

    private static bool TryTakeUp(JournaledRing known, string path, Dictionary<ulong, int> sockets, Action done)
    {
        int memory = Libc.open(path, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        if (memory < 0) return false;
        bool same = Libc.fstat(memory, out FileStatus status) == 0 && (status.Device, status.Inode) == (known.MemoryDevice, known.MemoryInode);
        MirroredRing? ring = same ? MirroredRing.TryTakeUp(memory) : null;
        Libc.close(memory);
        if (ring is null) return false;
        // Who sends from now on finds a reader to wake, and the doorbell closed.
        bool abandoned = IsAbandoned(known, sockets);
        if (abandoned) ring.AskToBeWoken();
        if (!abandoned || !StandIn.IsDue(ring, isLost: true)) { ring.Release(); return false; }
        // This router may be killed, too.
        ring.Freed = done;
        StandIns.Add(new StandIn(ring, new BorrowedSocket(known.Process, known.Number, known.Socket).Take, isLost: true), StandIns.Soon);
        return true;
    }

    /// <summary>The program's end of the doorbell shows that the other one, which only a router has, is closed.</summary>
    private static bool IsAbandoned(JournaledRing known, Dictionary<ulong, int> sockets)
    {
        if (!sockets.TryGetValue(known.Doorbell.Inode, out int number)) return false;
        int doorbell = new BorrowedSocket(known.Process, number, known.Doorbell).Take();
        if (doorbell < 0) return false;
        PollDescriptor look = new() { Descriptor = doorbell };
        bool closed = Libc.poll(&look, 1, 0) > 0 && (look.Returned & PollDescriptor.POLLHUP) != 0;
        BorrowedSocket.GiveBack(doorbell);
        return closed;
    }
}
