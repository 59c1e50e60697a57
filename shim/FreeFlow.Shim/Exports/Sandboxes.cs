using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>What native/raw.c calls: the process shuts itself in, or a descriptor has come to it by pidfd_getfd(2).</summary>
internal static unsafe class SandboxCalls
{
    /// <summary>
    /// Before a seccomp(2) filter: connections go back to the kernel, and those that are whole there are not tracked any more, so that the process makes exactly the
    /// system calls it expects to make. Rings with bytes that the peer cannot send again stay.
    /// </summary>
    [Interpose("void ff_retire(void)", Guard = "ff_core_is_open > 0")]
    public static void Retire()
    {
        if (Process.IsBorrowedMemory) return;
        for (int fd = NextTracked(-1); fd >= 0; fd = NextTracked(fd)) _ = SocketCalls.StopReading(fd, Reason.Sandboxed);
        for (int fd = NextTracked(-1); fd >= 0; fd = NextTracked(fd)) SocketCalls.StopSending(fd, Reason.Sandboxed);
        ulong deadline = Process.Now() + Recall.PatienceNanoseconds;
        for (int fd = NextTracked(-1); fd >= 0; fd = NextTracked(fd))
        {
            ConnectionRecord* record = Connections.Find(fd);
            if (record != null && record->RingAddress != 0 && !(SocketCalls.IsReturned(fd, deadline) & Recall.Await(fd, record, deadline))) continue;
            Registrations.Restore(fd);
            Connections.Closing(fd);
        }
        if (*Process.TrackedConnections == 0) Registrations.ForgetAll();
    }

    /// <summary>A copy of a connection of this process is one more descriptor of it. One of another process is not known here, and stays the kernel's.</summary>
    [Interpose("void ff_copied(int fd)", Guard = "ff_core_is_open > 0")]
    public static void Copied(int fd)
    {
        if (!Connections.InRange(fd) || Process.IsBorrowedMemory) return;
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            int known = Connections.Local[i].FirstDescriptor - 1;
            if (known < 0 || known == fd || !Addresses.IsSame(known, fd)) continue;
            Connections.Duplicated(known, fd);
            return;
        }
        int set = Registrations.SameSet(fd);
        if (set >= 0) Connections.Duplicated(set, fd);
    }

    private static int NextTracked(int fd)
    {
        for (fd++; fd < DescriptorFlags.Capacity; fd++)
        {
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & (DescriptorFlags.Connection | DescriptorFlags.Candidate)) != 0) return fd;
        }
        return -1;
    }
}
