using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>Calls that copy, close and configure descriptors.</summary>
internal static unsafe class DescriptorCalls
{
    [Interpose("int close(int fd)", Guard = "FF_FLAGS(fd)", Aliases = "__close")]
    public static int Close(int fd)
    {
        if (Process.IsBorrowedMemory) return Process.Libc->close(fd);
        if (Process.Flags[fd] == DescriptorFlags.Internal) return Fail(Linux.EBADF);
        Connections.Closing(fd);
        return Process.Libc->close(fd);
    }

    [Interpose("int close_range(unsigned first, unsigned last, int flags)", Guard = "ff_descriptors")]
    public static int CloseRange(uint first, uint last, int flags)
    {
        const int closeOnExec = 4;
        // An empty range tells what the kernel, or a seccomp filter, thinks of the call, before anything is undone.
        if ((flags & closeOnExec) != 0 || first > last || Process.IsBorrowedMemory || Process.Libc->close_range(uint.MaxValue, uint.MaxValue, flags) != 0)
            return Process.Libc->close_range(first, last, flags);
        uint end = last < DescriptorFlags.Capacity ? last : DescriptorFlags.Capacity - 1;
        uint start = first;
        for (uint fd = first; fd <= end; fd++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (fd % 8 == 0 && end - fd >= 8 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            byte bits = Process.Flags[fd];
            if (bits == 0) continue;
            if (bits != DescriptorFlags.Internal) { Connections.Closing((int)fd); continue; }
            if (fd > start && Process.Libc->close_range(start, fd - 1, flags) != 0) return -1;
            start = fd + 1;
        }
        return start > last ? 0 : Process.Libc->close_range(start, last, flags);
    }

    [Interpose("void closefrom(int first)", Guard = "ff_descriptors")]
    public static void CloseFrom(int first)
    {
        uint start = first < 0 ? 0 : (uint)first;
        if (CloseRange(start, uint.MaxValue, 0) == 0) return;
        // Linux before 5.9, or a filter: libc's own way would take the shim's descriptors too.
        for (uint fd = start; fd < DescriptorFlags.Capacity; fd++)
            if (Process.Flags[fd] != 0 ? Process.Flags[fd] != DescriptorFlags.Internal : Process.Libc->fcntl((int)fd, Linux.F_GETFD, null) >= 0) Close((int)fd);
    }

    [Interpose("int dup(int fd)", Guard = "FF_FLAGS(fd)")]
    public static int Dup(int fd)
    {
        if (Process.IsBorrowedMemory) Inheritance.Mark(fd);
        int copy = Process.Libc->dup(fd);
        if (copy >= 0 && !Process.IsBorrowedMemory) Connections.Duplicated(fd, copy);
        return copy;
    }

    [Interpose("int dup2(int fd, int copy)", Guard = "FF_FLAGS(fd) | FF_FLAGS(copy)", Aliases = "__dup2")]
    public static int Dup2(int fd, int copy) => fd == copy ? Process.Libc->dup2(fd, copy) : Dup3(fd, copy, 0);

    [Interpose("int dup3(int fd, int copy, int flags)", Guard = "FF_FLAGS(fd) | FF_FLAGS(copy)")]
    public static int Dup3(int fd, int copy, int flags)
    {
        // What the kernel refuses must have undone nothing.
        if (copy < 0 || (flags & ~Linux.SOCK_CLOEXEC) != 0) return Process.Libc->dup3(fd, copy, flags);
        // A socket that becomes standard input or output is about to be handed to another program; so is one that a vfork child copies.
        if (fd != copy && Connections.Find(fd) != null && (copy <= 2 || Process.IsBorrowedMemory))
        {
            int pump = Inheritance.HandOver(fd);
            if (pump >= 0)
            {
                if (!Process.IsBorrowedMemory) Connections.Closing(copy);
                int other = Process.Libc->dup3(pump, copy, flags);
                Process.Libc->close(pump);
                return other;
            }
        }
        // Ask first whether there is something to copy: a failed dup2 closes nothing.
        if (Process.IsBorrowedMemory || fd == copy || Process.Libc->fcntl(fd, Linux.F_GETFD, null) < 0) return Process.Libc->dup3(fd, copy, flags);
        if (Connections.InRange(copy) && Process.Flags[copy] == DescriptorFlags.Internal) return Fail(Linux.EBADF);
        // The same socket under the same number as before: nothing is closed, and sets keep what they have of it.
        if (Connections.Find(fd) != null && Connections.Find(fd) == Connections.Find(copy)) return Process.Libc->dup3(fd, copy, flags);
        Connections.Closing(copy);
        int result = Process.Libc->dup3(fd, copy, flags);
        if (result >= 0) Connections.Duplicated(fd, copy);
        Inheritance.MarkIfForked(fd);
        return result;
    }

    [Interpose("int fcntl(int fd, int command, ...)", Guard = "FF_FLAGS(fd)", Aliases = "fcntl64 __fcntl")]
    public static int Fcntl(int fd, int command, void* argument)
    {
        int result = Process.Libc->fcntl(fd, command, argument);
        if (result < 0) return result;
        switch (command)
        {
            case Linux.F_DUPFD or Linux.F_DUPFD_CLOEXEC:
                if (!Process.IsBorrowedMemory) Connections.Duplicated(fd, result);
                else Inheritance.Mark(fd);
                break;
            case Linux.F_SETFD when ((nint)argument & Linux.FD_CLOEXEC) == 0:
                Inheritance.Mark(fd);
                break;
            case Linux.F_SETFL:
                NoteNonBlocking(fd, ((nint)argument & Linux.O_NONBLOCK) != 0);
                if (((nint)argument & Linux.O_ASYNC) != 0) SocketCalls.KeepInKernel(fd, Reason.KernelOnlyOption);
                break;
        }
        return result;
    }

    [Interpose("int ioctl(int fd, unsigned long request, ...)", Guard = "FF_FLAGS(fd)")]
    public static int Ioctl(int fd, nuint request, void* argument)
    {
        int result = Process.Libc->ioctl(fd, request, argument);
        ConnectionRecord* record = Connections.Find(fd);
        if (result == 0 && request == Linux.FIONCLEX) Inheritance.Mark(fd);
        if (result < 0 || record == null || (uint)request is not (Linux.FIONBIO or Linux.FIOASYNC or Linux.FIONREAD or Linux.SIOCATMARK or Linux.TIOCOUTQ)) return result;
        int number;
        if (!CallerMemory.TryRead((int*)argument, &number)) return (int)Process.Result(-Linux.EFAULT);
        switch ((uint)request)
        {
            case Linux.FIONBIO: NoteNonBlocking(fd, number != 0); return result;
            case Linux.FIOASYNC: if (number != 0) SocketCalls.KeepInKernel(fd, Reason.KernelOnlyOption); return result;
            case Linux.FIONREAD: number = Readable(fd, record, number); break;
            case Linux.TIOCOUTQ: number += Unread(record); break;
            case Linux.SIOCATMARK: if (number != 0 && Waiting(record) > 0) number = 0; break;
        }
        return CallerMemory.TryWrite((int*)argument, number) ? result : (int)Process.Result(-Linux.EFAULT);
    }

    /// <summary>The C library asks by an ioctl(2) of its own.</summary>
    [Interpose("int sockatmark(int fd)")]
    public static int SockAtMark(int fd)
    {
        int mark;
        return Ioctl(fd, Linux.SIOCATMARK, &mark) < 0 ? -1 : mark;
    }

    private static void NoteNonBlocking(int fd, bool on)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) return;
        if (on) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.NonBlocking);
        else Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.NonBlocking);
    }

    /// <summary>What one receive would deliver where the kernel counts <paramref name="kernel"/> bytes.</summary>
    private static int Readable(int fd, ConnectionRecord* record, int kernel)
    {
        kernel = MirroredLook.KernelBytes(fd, record, kernel);
        // While bytes from before the switch are still on their way, a receive ends there, whatever the ring holds.
        return record->RingAddress != 0 && RingReadiness.KernelRest(record, Block.Incoming(record)) > (ulong)kernel ? kernel : kernel + Waiting(record);
    }

    /// <summary>Bytes in the ring that a receive would deliver after the kernel's.</summary>
    private static int Waiting(ConnectionRecord* record)
    {
        if (record->RingAddress == 0 || Gate.Phase(&record->ReceiveGate) is not (DirectionPhase.Ready or DirectionPhase.Ring)) return 0;
        long available = RingReader.Available(record, Block.Incoming(record));
        return available > 0 ? (int)available : 0;
    }

    /// <summary>
    /// Bytes in the ring that the peer's kernel would not have acknowledged yet. A receive buffer takes what it has room for whether the program reads or not; half
    /// of the ring stands for it.
    /// </summary>
    private static int Unread(ConnectionRecord* record)
    {
        if (record->RingAddress == 0 || Reattachment.IsDetached(record)) return 0;
        DirectionPhase phase = Gate.Phase(&record->SendGate);
        // What a return has brought into the kernel so far is in the kernel's own figure.
        if (phase == DirectionPhase.Returning) return (int)(record->SendTail - record->SendReturnFrom + ReturnMark.HeaderLength(record) - record->SendReturned);
        if (phase == DirectionPhase.Back && record->SendReturnFrom != record->SendTail) return 0;
        ulong used = record->SendTail - Volatile.Read(ref Block.Outgoing(record)->Head);
        return used > record->Capacity / 2 && used <= record->Capacity ? (int)(used - (record->Capacity / 2)) : 0;
    }

    private static int Fail(int errno)
    {
        Process.Errno = errno;
        return -1;
    }
}
