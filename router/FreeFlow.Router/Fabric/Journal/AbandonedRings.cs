using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;

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
            if (taken != 0) log.TakesUpRings(taken, taken == 1 ? "ring" : "rings");
        });
        if (!begun) log.CannotTakeUp(Threads.NoneToBeHad);
    }

    /// <summary>Looks through one program's memory; the number of rings in which something was left to do.</summary>
    internal static int TakeUp(int process, IEnumerable<(JournaledRing Ring, Action Done)> left)
    {
        Dictionary<(string Device, ulong Inode), string> mapped = MappedRings.Of(process);
        Dictionary<ulong, int> sockets = mapped.Count == 0 ? [] : OpenDescriptors.Sockets(process);
        int taken = 0;
        foreach ((JournaledRing ring, Action done) in left)
        {
            if (mapped.TryGetValue((MappedRings.Device(ring.MemoryDevice), ring.MemoryInode), out string? range) && TryTakeUp(ring, MappedRings.TryOpen(process, range, ring.MemoryDevice, ring.MemoryInode), sockets, done)) taken++;
            else done();
        }
        return taken;
    }

    /// <param name="known">What the journal says of it.</param>
    /// <param name="memory">The ring's, or −1.</param>
    /// <param name="sockets">The program's.</param>
    /// <param name="done">What to do when nobody needs to know of it any more.</param>
    private static bool TryTakeUp(JournaledRing known, int memory, Dictionary<ulong, int> sockets, Action done)
    {
        if (memory < 0) return false;
        MirroredRing? ring = MirroredRing.TryTakeUp(memory);
        Libc.close(memory);
        if (ring is null) return false;
        // Who sends from now on finds a reader to wake, and the doorbell closed.
        bool abandoned = IsAbandoned(known, sockets);
        if (abandoned) ring.AskToBeWoken();
        if (!abandoned || !StandIn.IsDue(ring, StandInCause.Lost)) { ring.Release(); return false; }
        // This router may be killed, too.
        ring.Freed = done;
        SocketLoan loan = new(UserOf(known.Process), new BorrowedSocket(known.Process, known.Number, known.Socket).Take);
        StandIns.Add(new StandIn(ring, loan, StandInCause.Lost), StandIns.Soon);
        return true;
    }

    /// <summary>Whose program it is ("Uid:\treal\teffective..." in /proc/PID/status); root's if it is gone, with nothing left to do for it.</summary>
    private static uint UserOf(int process)
    {
        try
        {
            string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
            return uint.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException) { return 0; }
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
