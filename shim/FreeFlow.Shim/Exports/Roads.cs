using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>
/// What native/roads.c, native/raw.c and native/uring.c tell of calls that move bytes past the interposed ones: their connections go back
/// to the kernel first.
/// </summary>
internal static unsafe class RoadCalls
{
    /// <summary>Epoll sets that a connection may be in, to be in them still when another socket has its number.</summary>
    private const int MostSets = 16;

    /// <summary>Before an asynchronous transfer on this descriptor.</summary>
    [Interpose("void ff_by_another_road(int fd)")]
    public static void ByAnotherRoad(int fd) => ToKernel(fd, Reason.AnotherRoad);

    /// <summary>The connection goes back to the kernel for good. What the peer cannot send again comes through a <see cref="Pump"/> in this descriptor's place.</summary>
    internal static void ToKernel(int fd, Reason reason)
    {
        if (Process.IsBorrowedMemory || SocketCalls.KeepInKernel(fd, reason)) return;
        int errno = Process.Errno, pump = Pump.Start(fd, Connections.Find(fd));
        if (pump >= 0)
        {
            SetItem* items = stackalloc SetItem[MostSets];
            int sets = Registrations.TakeOut(fd, items, MostSets), flags = Process.Libc->fcntl(fd, Linux.F_GETFD, null);
            Connections.Closing(fd);
            Process.Libc->dup3(pump, fd, (flags & Linux.FD_CLOEXEC) != 0 ? Linux.SOCK_CLOEXEC : 0);
            Process.Libc->close(pump);
            // Sets hold sockets, not numbers: the one that lives on has to be taken out, and the other one put in.
            for (int i = 0; i < sets; i++) Process.Libc->epoll_ctl(items[i].Epoll, Linux.EPOLL_CTL_ADD, fd, &items[i].Event);
        }
        Process.Errno = errno;
    }

    /// <summary>Nobody sees what the program submits to an io_uring of its: all its connections stay in the kernel from now on.</summary>
    [Interpose("void ff_all_by_another_road(void)", Guard = "ff_core_is_open > 0")]
    public static void AllByAnotherRoad()
    {
        if (Offering.AnotherRoad) return;
        Offering.AnotherRoad = true;
        // Two may be the ends of one connection, and what an end has gone back with it cannot take back any more.
        for (int fd = NextConnection(-1); fd >= 0; fd = NextConnection(fd)) _ = SocketCalls.StopReading(fd, Reason.AnotherRoad);
        for (int fd = NextConnection(-1); fd >= 0; fd = NextConnection(fd)) ByAnotherRoad(fd);
    }

    private static int NextConnection(int fd)
    {
        for (fd++; fd < DescriptorFlags.Capacity; fd++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & DescriptorFlags.Connection) != 0) return fd;
        }
        return -1;
    }

    /// <summary>Before io_submit(2): the descriptors of its control blocks.</summary>
    [Interpose("void ff_before_io_submit(long count, void* list)", Guard = "*ff_tracked_connections")]
    public static void BeforeIoSubmit(nint count, byte** list)
    {
        const int descriptor = 20;   // aio_fildes of struct iocb
        for (nint i = 0; i < count; i++)
        {
            byte* block;
            int fd;
            if (!CallerMemory.TryRead(list + i, &block, (nuint)sizeof(byte*)) || !CallerMemory.TryRead((int*)(block + descriptor), &fd)) return;
            if (Connections.Find(fd) != null) ByAnotherRoad(fd);
        }
    }

    /// <summary>
    /// The kernel does something of its own with the descriptor, at a time of its own: a connection goes back, an epoll set shows what the
    /// program registered in it, and a socket that is not connected yet is not tracked when it is. One that listens only hands out others.
    /// </summary>
    public static void GiveToOthers(int fd, Reason reason)
    {
        if (!Connections.InRange(fd)) return;
        byte flags = Process.Flags[fd];
        if ((flags & DescriptorFlags.Connection) != 0 && !IsInKernel(fd)) ToKernel(fd, reason);
        else if ((flags & DescriptorFlags.Epoll) != 0) Registrations.GiveAway(fd, reason);
        else if ((flags & DescriptorFlags.Candidate) != 0 && !IsListening(fd)) _ = SocketCalls.StopReading(fd, reason);
    }

    /// <summary>
    /// As <see cref="GiveToOthers"/>, and the shim does not know the descriptor any more: the kernel will close it, or change a set's
    /// registration of it, unseen.
    /// </summary>
    public static void Forget(int fd, Reason reason)
    {
        GiveToOthers(fd, reason);
        const byte known = DescriptorFlags.Connection | DescriptorFlags.Candidate | DescriptorFlags.Epoll;
        if (!Connections.InRange(fd) || (Process.Flags[fd] & known) == 0) return;
        Registrations.Restore(fd);
        Connections.Closing(fd);
    }

    /// <summary>True if both directions are in the kernel for good.</summary>
    private static bool IsInKernel(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.KernelOnly) == 0) return record == null;
        if (Volatile.Read(ref record->RingAddress) == 0) return record->State == (uint)ConnectionState.Kernel;
        bool sends = Gate.Phase(&record->SendGate) is DirectionPhase.Kernel or DirectionPhase.Back;
        return sends && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back;
    }

    private static bool IsListening(int fd)
    {
        const int acceptsConnections = 30;   // SO_ACCEPTCONN
        int listens = 0, errno = Process.Errno;
        uint length = sizeof(int);
        _ = Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, acceptsConnections, &listens, &length);
        Process.Errno = errno;
        return listens != 0;
    }
}
