using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>Calls that make, connect and end sockets. The kernel does them all; the shim takes notes.</summary>
internal static unsafe class SocketCalls
{
    [Interpose("int socket(int domain, int type, int protocol)", Guard = "(domain == 2 || domain == 10) && (type & 0xf) == 1 && (protocol == 0 || protocol == 6)")]
    public static int Socket(int domain, int type, int protocol)
    {
        int fd = Process.Libc->socket(domain, type, protocol);
        if (!Connections.InRange(fd)) return fd;
        Process.Flags[fd] = DescriptorFlags.Candidate;
        SocketTimeouts.Keep(fd, 0);
        Connections.NoteHighest(fd);
        return fd;
    }

    [Interpose("int connect(int fd, const void* address, unsigned length)", Guard = "FF_FLAGS(fd) & (FF_CONNECTION | FF_CANDIDATE)", Aliases = "__connect")]
    public static int Connect(int fd, void* address, uint length)
    {
        // connect(2): AF_UNSPEC dissolves the association.
        ushort family;
        if (length >= sizeof(ushort) && Messages.CheckAddress(address, length) == 0 && CallerMemory.TryRead((ushort*)address, &family) && family == 0 && Connections.Find(fd) != null)
            return Dissolution.Dissolve(fd, address, length);
        bool copied = (Process.Flags[fd] & DescriptorFlags.Copied) != 0;
        int result = Process.Libc->connect(fd, address, length);
        int errno = Process.Errno;
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null && (result == 0 || errno is Linux.EINPROGRESS or Linux.EINTR))
        {
            record = Connections.Begin(fd, result == 0 ? ConnectionFlags.None : ConnectionFlags.Connecting);
            if (record != null) SocketTimeouts.Inherit(record, fd);
        }
        // Another number for the same socket, from before it was connected, is not known to belong to the connection.
        if (record != null && copied && Connections.HasTwin(fd)) Offering.KeepInKernel(record, Reason.BytesOutOfSight);
        if (record != null && result == 0) Established(fd, record);
        Process.Errno = errno;
        return result;
    }

    [Interpose("int accept(int fd, void* address, unsigned* length)", Guard = "(FF_FLAGS(fd) & FF_CANDIDATE) || ff_is_internet_stream(fd)")]
    public static int Accept(int fd, void* address, uint* length) => Accepted(fd, Process.Libc->accept(fd, address, length), 0);

    [Interpose("int accept4(int fd, void* address, unsigned* length, int flags)", Guard = "(FF_FLAGS(fd) & FF_CANDIDATE) || ff_is_internet_stream(fd)")]
    public static int Accept4(int fd, void* address, uint* length, int flags) => Accepted(fd, Process.Libc->accept4(fd, address, length, flags), flags);

    [Interpose("int shutdown(int fd, int how)")]
    public static int Shutdown(int fd, int how)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && how is Linux.SHUT_WR or Linux.SHUT_RDWR) HintWriterClosed(record);
        // The end of the stream comes behind what a return has still to bring into the kernel.
        bool held = record != null && how is Linux.SHUT_WR or Linux.SHUT_RDWR && SendReturn.TakesShutdown(record, fd);
        // Whoever sleeps in a receive, here or in a relative, is woken by it, and must not take it for the peer's end.
        bool told = record != null && how is Linux.SHUT_RD or Linux.SHUT_RDWR
            && (Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.ReceiveShutdown) & (uint)ConnectionFlags.ReceiveShutdown) == 0;
        if (held) SendReturn.AskForHelp(record);
        int result = !held ? Process.Libc->shutdown(fd, how) : how == Linux.SHUT_RDWR ? Process.Libc->shutdown(fd, Linux.SHUT_RD) : 0;
        if (record != null && result != 0 && told) Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.ReceiveShutdown);
        if (record == null || result != 0) return result;
        if (how is Linux.SHUT_RD or Linux.SHUT_RDWR) Volatile.Write(ref record->KernelAttention, 1);
        if (Handover.IsShutBothWays(record)) Handover.RefuseInput(record);
        if (record->RingAddress != 0) Registrations.Owe(record);
        return result;
    }

    [Interpose("int setsockopt(int fd, int level, int option, const void* value, unsigned length)", Guard = "FF_FLAGS(fd) & (FF_CONNECTION | FF_CANDIDATE)")]
    public static int SetSockOpt(int fd, int level, int option, void* value, uint length)
    {
        int result = Process.Libc->setsockopt(fd, level, option, value, length);
        if (result == 0 && KernelOptions.Need(level, option, value, length) && !KeepInKernel(fd, Reason.KernelOnlyOption) && option == Linux.SO_RCVLOWAT && level == Linux.SOL_SOCKET)
            LowWater.Mark(Connections.Find(fd));
        bool buffer = level == Linux.SOL_SOCKET && option is Linux.SO_SNDBUF or Linux.SO_RCVBUF or Linux.SO_SNDBUFFORCE or Linux.SO_RCVBUFFORCE;
        if (result == 0 && buffer) BufferSizes.Changed(fd, option);
        if (result == 0 && level == Linux.SOL_SOCKET && SocketTimeouts.IsOption(option)) SocketTimeouts.Changed(fd, option, (TimeValue*)value);
        return result;
    }

    [Interpose("int getsockopt(int fd, int level, int option, void* value, unsigned* length)")]
    public static int GetSockOpt(int fd, int level, int option, void* value, uint* length)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (level != Linux.SOL_SOCKET || option != Linux.SO_ERROR || record == null || record->PendingError == 0) return Process.Libc->getsockopt(fd, level, option, value, length);
        // The kernel has told this error already, while the ring still held bytes. Asking takes it away, even if the answer cannot be written.
        uint bytes;
        if (!CallerMemory.TryRead(length, &bytes)) return (int)Process.Result(-Linux.EFAULT);
        if ((int)bytes < 0) return (int)Process.Result(-Linux.EINVAL);
        int error = 0;
        uint whole = sizeof(int);
        if (Process.Libc->getsockopt(fd, level, option, &error, &whole) != 0) return -1;
        if (error == 0) error = Interlocked.Exchange(ref record->PendingError, 0);
        if (bytes > sizeof(int)) bytes = sizeof(int);
        return CallerMemory.TryWrite(value, &error, bytes) && CallerMemory.TryWrite(length, &bytes, sizeof(uint)) ? 0 : (int)Process.Result(-Linux.EFAULT);
    }

    [Interpose("void* fdopen(int fd, const char* mode)", Aliases = "_IO_fdopen")]
    public static void* FdOpen(int fd, byte* mode)
    {
        // Standard input and output streams call the kernel from inside libc.
        bool whole = KeepInKernel(fd, Reason.StandardIoStream);
        void* stream = Process.Libc->fdopen(fd, mode);
        byte* first = stackalloc byte[2];
        if (stream != null && !whole && CallerMemory.TryRead(mode, first, 2) && (first[0] == 'r' || first[1] == '+')) UnreadBytes.IntoStream(fd, stream);
        return stream;
    }

    [Interpose("int fclose(void* stream)", Guard = "*ff_tracked_connections && stream && (FF_FLAGS(fileno(stream)) & FF_CONNECTION)")]
    public static int FClose(void* stream)
    {
        Connections.Closing(Process.Libc->fileno(stream));
        return Process.Libc->fclose(stream);
    }

    /// <summary>libc closes the stream's descriptor from inside, and opens the file under the same number.</summary>
    [Interpose("void* freopen(const char* path, const char* mode, void* stream)", Guard = "*ff_tracked_connections && stream && (FF_FLAGS(fileno(stream)) & FF_CONNECTION)", Aliases = "freopen64")]
    public static void* FReopen(byte* path, byte* mode, void* stream)
    {
        Connections.Closing(Process.Libc->fileno(stream));
        return Process.Libc->freopen(path, mode, stream);
    }

    /// <summary>
    /// The connection must be whole in the kernel from now on. Its sending direction goes back if it has left; its receiving one if the peer has not
    /// switched yet, or takes back what is unread. False if unread bytes are left in the ring.
    /// </summary>
    internal static bool KeepInKernel(int fd, Reason reason)
    {
        ConnectionRecord* record = LeaveRing(fd, reason);
        ConnectionRecord* any = Connections.Find(fd);
        ulong deadline = Process.Now() + (any != null ? Recall.Patience(any) : 0);
        return IsReturned(fd, deadline) & (record == null || Recall.Await(fd, record, deadline, Recall.Persists(reason)));
    }

    /// <summary>True once what the ring held last is in the kernel, if it had to go there (docs/fabric.md); false if it is not in time.</summary>
    internal static bool IsReturned(int fd, ulong deadline)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null || record->RingAddress == 0 || ReturnWaiter.Await(fd, record, deadline);
    }

    /// <summary>As <see cref="KeepInKernel"/>, without waiting: the record whose ring has to be waited for, or null.</summary>
    internal static ConnectionRecord* LeaveRing(int fd, Reason reason)
    {
        ConnectionRecord* record = StopReading(fd, reason);
        StopSending(fd, reason);
        return record;
    }

    /// <summary>
    /// The first half of <see cref="LeaveRing"/>. Of several connections all stop reading first: two may be the ends of one, and what an end has gone back with it
    /// cannot take back any more.
    /// </summary>
    internal static ConnectionRecord* StopReading(int fd, Reason reason)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null)
        {
            // Not connected yet: an untracked socket stays in the kernel for good.
            if (Connections.InRange(fd)) Process.Flags[fd] &= unchecked((byte)~DescriptorFlags.Candidate);
            return null;
        }
        Offering.KeepInKernel(record, reason);
        Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Kernel, (uint)ConnectionState.Offered);
        if (record->RingAddress == 0 || Handover.Retract(record)) return null;
        Recall.Ask(record);
        return record;
    }

    internal static void StopSending(int fd, Reason reason)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null || record->RingAddress == 0) return;
        if (ReturnMark.IsMirrored(record)) MirroredClose.NeverSwitches(record);
        if (Gate.Phase(&record->SendGate) == DirectionPhase.Ring) Sender.GoBack(record, reason);
    }

    private static int Accepted(int listener, int fd, int flags)
    {
        if (fd < 0) return fd;
        int errno = Process.Errno;
        ConnectionRecord* record = Connections.Begin(fd, (flags & Linux.SOCK_NONBLOCK) != 0 ? ConnectionFlags.NonBlocking : ConnectionFlags.None);
        if (record != null) SocketTimeouts.Inherit(record, listener);
        // Without the wait, the first transfer offers: a server that forks for each connection transfers in the child.
        if (record != null && Settings.WaitForJoin) Established(fd, record);
        Process.Errno = errno;
        return fd;
    }

    private static void Established(int fd, ConnectionRecord* record)
    {
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.Connecting);
        Offering.AtOnce(fd, record);
    }

    private static void HintWriterClosed(ConnectionRecord* record)
    {
        // A ring that has come unnoticed: its reader may be Ready, and then expects to hear of the end (docs/fabric.md).
        if (record->State == (uint)ConnectionState.Offered) Session.Look();
        // Nothing is left in a ring behind whose end nobody writes. Sets that wait for room hear from the kernel from now on.
        if (record->RingAddress != 0 && (ReturnMark.IsMirrored(record) ? MirroredClose.Leave(record) : Handover.EndStream(record, -1)))
            Registrations.Refresh(Connections.IndexOf(record) + 1, owed: true);
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.SendShutdown);
        if (record->RingAddress == 0) return;
        RingBlockHeader* outgoing = Memory.Block.Outgoing(record);
        Memory.RingWriter.NoteEnd(outgoing);
        if (ReturnMark.IsMirrored(record)) Memory.Doorbell.RingAlways(record);
        else Memory.Doorbell.NotifyReader(record, outgoing);
    }
}
