using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Connections that another program is about to inherit: they must be whole in the kernel, whatever this process and its relatives do with them afterwards. What the
/// peer cannot send again comes to the other program through a <see cref="Pump"/>, if it is clear that it is meant for it.
/// </summary>
internal static unsafe class Inheritance
{
    /// <summary>The program says which descriptor it wants to hand on, by fcntl(F_SETFD), ioctl(FIONCLEX) or a copy.</summary>
    public static void Mark(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) { Registrations.GiveAway(fd, Reason.Exec); return; }
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Inheritable);
        // A vfork child closes the peer's end, if it has it, before it execs; while it is open it can be spoken for.
        if (Process.IsBorrowedMemory) SocketCalls.KeepInKernel(fd, Reason.Exec);
    }

    /// <summary>A copy made by a forked child is made for the next program.</summary>
    public static void MarkIfForked(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && record->ProcessId != Process.Id) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Inheritable);
    }

    /// <summary>Hands a connection back to the kernel for another program; a descriptor to give it instead, or −1 if the kernel's socket will do.</summary>
    public static int HandOver(int fd) => SocketCalls.KeepInKernel(fd, Reason.Exec) ? -1 : Pump.Start(fd, Connections.Find(fd));

    /// <summary>Before this process becomes another program: all that is inherited is asked back at once, then waited for together.</summary>
    public static void HandOverAll()
    {
        int errno = Process.Errno;
        bool waiting = false;
        for (int fd = Next(-1); fd >= 0; fd = Next(fd)) waiting |= SocketCalls.StopReading(fd, Reason.Exec) != null;
        for (int fd = Next(-1); fd >= 0; fd = Next(fd)) SocketCalls.StopSending(fd, Reason.Exec);
        ulong start = Process.Now();
        for (int fd = Next(-1); fd >= 0 && (waiting || SendReturn.IsDue); fd = Next(fd))
        {
            ConnectionRecord* record = Connections.Find(fd);
            if (IsWhole(fd, record, start) || !IsMeant(fd, record, start + Recall.PatienceNanoseconds)) continue;
            int pump = Pump.Start(fd, record);
            if (pump < 0) continue;
            if (!Process.IsBorrowedMemory) Connections.Closing(fd);
            Process.Libc->dup3(pump, fd, 0);
            Process.Libc->close(pump);
        }
        Process.Errno = errno;
    }

    /// <summary>Waits for a connection that has been asked back: true if the kernel has all of it, in time.</summary>
    public static bool IsWhole(int fd, ConnectionRecord* record, ulong start)
    {
        ulong deadline = start + Recall.Patience(record);
        return record->RingAddress == 0 || (SocketCalls.IsReturned(fd, deadline) & Recall.Await(fd, record, deadline, persists: true));
    }

    /// <summary>
    /// True if the next program, and not this one's parent, is to read what is left: it was marked, or nobody else has it. A parent that is just letting go is waited for.
    /// </summary>
    private static bool IsMeant(int fd, ConnectionRecord* record, ulong deadline)
    {
        if (fd <= 2 || (record->Flags & (uint)ConnectionFlags.Inheritable) != 0) return true;
        if (Process.IsBorrowedMemory) return false;
        while (!Holders.IsSole(record) && Process.Now() < deadline) Process.Libc->poll(null, 0, 1);
        return Holders.IsSole(record);
    }

    /// <summary>The next descriptor after <paramref name="fd"/> that stands for a connection and survives exec; −1 if there is none.</summary>
    public static int Next(int fd)
    {
        for (fd++; fd < DescriptorFlags.Capacity; fd++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & DescriptorFlags.Connection) == 0) continue;
            ConnectionRecord* record = Connections.Find(fd);
            int flags = Process.Libc->fcntl(fd, Linux.F_GETFD, null);
            if (record == null || flags < 0 || (flags & Linux.FD_CLOEXEC) != 0) continue;
            // What a vfork child has made of its descriptors is not in the table.
            if (!Process.IsBorrowedMemory || record->Family == 0 || Addresses.IsStill(fd, record)) return fd;
        }
        return -1;
    }
}
