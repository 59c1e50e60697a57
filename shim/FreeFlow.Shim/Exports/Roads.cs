using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>
/// What native/roads.c and native/raw.c tell of calls that move bytes past the interposed ones: their connections go back to the kernel first.
/// </summary>
internal static unsafe class RoadCalls
{
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
            int flags = Process.Libc->fcntl(fd, Linux.F_GETFD, null);
            Connections.Closing(fd);
            Process.Libc->dup3(pump, fd, (flags & Linux.FD_CLOEXEC) != 0 ? Linux.SOCK_CLOEXEC : 0);
            Process.Libc->close(pump);
        }
        Process.Errno = errno;
    }

    /// <summary>The program has made an io_uring, whose submissions nobody sees: all its connections stay in the kernel from now on.</summary>
    [Interpose("void ff_all_by_another_road(void)", Guard = "ff_core_is_open > 0")]
    public static void AllByAnotherRoad()
    {
        Offering.AnotherRoad = true;
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & DescriptorFlags.Connection) != 0) ByAnotherRoad(fd);
        }
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
}
