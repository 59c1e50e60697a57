using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// Mirrored rings whose router has been killed or stopped while their programs sleep elsewhere: what they had sent lies there until their next call. The router that comes
/// after it looks for them once, in the memory of all programs, and stands in (<see cref="StandIn"/>). Needs what a look into another program needs (proc(5), map_files).
/// </summary>
internal static unsafe class AbandonedRings
{
    /// <summary>Kept mapped at a time; a process may have 65,530 mappings (vm.max_map_count).</summary>
    private const int Most = 16_384;

    /// <summary>Begins to look; returns at once.</summary>
    public static void TakeUp(Log log) => new Thread(() =>
    {
        HashSet<ulong> taken = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process)) TakeUpOf(process, taken);
        }
        if (taken.Count != 0) log.Line($"bytes of programs that sleep were left in {taken.Count} {(taken.Count == 1 ? "ring" : "rings")} by a router before this one: sends them by the kernel");
    }) { IsBackground = true, Name = "abandoned rings" }.Start();

    /// <summary>Looks through one program, and adds the inodes of the rings that are taken up: what a program has forked maps them, too.</summary>
    internal static void TakeUpOf(int process, HashSet<ulong> taken)
    {
        foreach ((string range, ulong inode) in RingsOf(process))
        {
            if (taken.Count < Most && !taken.Contains(inode) && TryTakeUp(process, $"/proc/{process}/map_files/{range}")) taken.Add(inode);
        }
    }

    /// <summary>"from-to rw-s offset device inode name".</summary>
    private static List<(string Range, ulong Inode)> RingsOf(int process)
    {
        List<(string, ulong)> rings = [];
        try
        {
            foreach (string line in File.ReadLines($"/proc/{process}/maps").Where(line => line.Contains("/memfd:" + Ring.Name, StringComparison.Ordinal)))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (ulong.TryParse(fields[4], CultureInfo.InvariantCulture, out ulong inode)) rings.Add((fields[0], inode));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { } // it is gone, or not to be looked at
        return rings;
    }

    private static bool TryTakeUp(int process, string path)
    {
        int memory = Libc.open(path, Libc.O_RDWR | Libc.O_CLOEXEC);
        if (memory < 0) return false;
        MirroredRing? ring = MirroredRing.TryTakeUp(memory);
        Libc.close(memory);
        if (ring is null) return false;
        RingBlockHeader* block = ring.FromShim;
        BorrowedSocket socket = new(process, -1, new(block->SocketInode, block->SocketCookie)), doorbell = new(process, -1, new(block->DoorbellInode, block->DoorbellCookie));
        // The router's end of the doorbell is closed, and the program still has the socket.
        if (((Look(doorbell) ?? 0) & PollDescriptor.POLLHUP) != 0 && Look(socket) is not null)
        {
            // Who sends from now on finds a reader to wake, and the doorbell closed.
            Interlocked.Exchange(ref block->ReaderWaiting, 1);
            if (!StandIn.IsNeedless(ring) && Volatile.Read(ref block->Tail) != Volatile.Read(ref block->Head))
            {
                StandIns.Add(new StandIn(ring, socket.TakeFromItself, isLost: true), StandIns.Soon);
                return true;
            }
        }
        ring.Release();
        return false;
    }

    /// <summary>What poll(2) says of a socket of the program; null if it has none of this name.</summary>
    private static short? Look(BorrowedSocket name)
    {
        int socket = name.TakeFromItself();
        if (socket < 0) return null;
        PollDescriptor look = new() { Descriptor = socket };
        _ = Libc.poll(&look, 1, 0);
        Libc.close(socket);
        return look.Returned;
    }
}
