using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What is unread in the ring of a peer that was killed can be sent by nobody any more. Before another program goes on with the connection
/// the router writes it into the queue of the connection's own socket, behind the end of stream that this process has taken out of there:
/// the kernel still knows that the stream ends, and says so behind the bytes. Only where nobody is left at the other end: what this socket
/// acknowledges from then on are bytes that the other one has never sent.
/// </summary>
internal static unsafe class Refill
{
    private const int CloseWait = 8;   // tcp_states.h
    private const long DeathNanoseconds = 50_000_000;
    private const ulong AnswerNanoseconds = 1_000_000_000, DoneNanoseconds = 10_000_000_000;

    /// <summary>True if the kernel's socket has all that was unread: it is the kernel's for good.</summary>
    public static bool TryPutBack(int fd, ConnectionRecord* record)
    {
        if (!IsPeerGone(fd, record)) return false;
        int errno = Process.Errno, waiting = 0;
        long unread = RingReader.Available(record, Block.Incoming(record));
        if (unread < 0 || Process.Libc->ioctl(fd, Linux.FIONREAD, &waiting) != 0) return false;
        ulong room = (ulong)unread + (ulong)waiting;
        int memory = MakeMemory(RefillHeader.Bytes + room, out RefillHeader* header);
        bool whole = memory >= 0 && Asked(fd, memory, header, RefillState.Asked, AnswerNanoseconds) == RefillState.Able
            && TakeOut(fd, record, header, room) && IsPutIn(fd, record, memory, header);
        if (header != null) Process.Libc->munmap(header, RefillHeader.Bytes + (nuint)room);
        if (memory >= 0) Process.Libc->close(memory);
        Process.Errno = errno;
        return whole;
    }

    /// <summary>
    /// The kernel tells an end of stream, and the peer's shim has told none: the last process that had the other end was killed. Who has
    /// ended its stream in any other way may still wait for an answer.
    /// </summary>
    private static bool IsPeerGone(int fd, ConnectionRecord* record)
    {
        if (record == null || record->RingAddress == 0 || ReturnMark.IsMirrored(record)) return false;
        if (KernelCounters.State(fd) != CloseWait || Volatile.Read(ref Block.Incoming(record)->WriterClosed) != 0) return false;
        // Its doorbell is closed a moment after its socket.
        PollDescriptor end = new() { Descriptor = Doorbell.ToSleepOn(record), Events = Linux.POLLRDHUP };
        TimeSpec time = new() { Nanoseconds = DeathNanoseconds };
        if (end.Descriptor >= 0) Process.Libc->ppoll(&end, 1, &time, null);
        Doorbell.LookForPeer(record);
        return (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0;
    }

    private static int MakeMemory(ulong bytes, out RefillHeader* header)
    {
        int fd;
        header = null;
        if (bytes > RefillHeader.Bytes + RefillHeader.MostBytes) return -1;
        fixed (byte* name = "freeflow-refill\0"u8) fd = Process.Libc->memfd_create(name, Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING);
        if (fd < 0) return -1;
        void* mapped = (void*)-1;
        if (Process.Libc->ftruncate(fd, (long)bytes) == 0
            && Process.Libc->fcntl(fd, Linux.F_ADD_SEALS, (void*)(Linux.F_SEAL_SHRINK | Linux.F_SEAL_GROW | Linux.F_SEAL_SEAL)) == 0)
            mapped = Process.Libc->mmap(null, (nuint)bytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, fd, 0);
        if ((nint)mapped == -1) { Process.Libc->close(fd); return -1; }
        header = (RefillHeader*)mapped;
        header->Magic = RefillHeader.ExpectedMagic;
        header->Version = RefillHeader.ExpectedVersion;
        return fd;
    }

    /// <summary>The router's answer, or the state that was asked in: there is no router, or none that answers in time.</summary>
    private static RefillState Asked(int fd, int memory, RefillHeader* header, RefillState state, ulong nanoseconds)
    {
        ulong end = Process.Now() + nanoseconds;
        bool told = false;
        Volatile.Write(ref header->State, (uint)state);
        while (Volatile.Read(ref header->State) == (uint)state && Process.Now() < end)
        {
            if (!told && !Session.TryRequestRefill(fd, memory, out told)) break;
            Process.Libc->poll(null, 0, 1);
        }
        return (RefillState)Volatile.Read(ref header->State);
    }

    /// <summary>
    /// Takes all that is unread out of the ring and the kernel, and the end of stream behind it. False if there was nothing but an error:
    /// what has been taken can only go on as <see cref="IsPutIn"/> has it.
    /// </summary>
    private static bool TakeOut(int fd, ConnectionRecord* record, RefillHeader* header, ulong room)
    {
        // A peer that was killed with bytes of this end unread: the next program hears of it from the kernel.
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.ResetTold);
        nint read = 1;
        while (read > 0)
        {
            byte none;
            ulong left = room - header->Length;
            IoVector vector = new() { Base = left == 0 ? &none : (byte*)header + RefillHeader.Bytes + header->Length, Length = left == 0 ? 1 : (nuint)left };
            MessageHeader message = new() { Vectors = &vector, VectorCount = 1 };
            if (left == 0 && RingReader.Available(record, Block.Incoming(record)) > 0) break;
            read = Receiver.Receive(fd, record, &message, Linux.MSG_DONTWAIT);
            if (read == -Linux.EINTR) read = 1;
            else if (read > 0) header->Length += (ulong)read;
        }
        if (read < 0 && header->Length == 0) return false;
        // The ring's words may have told the end: the kernel's own is still in the way of what comes behind it.
        byte end;
        while (Process.Libc->recv(fd, &end, 1, Linux.MSG_DONTWAIT) < 0 && Process.Errno == Linux.EINTR) { }
        return true;
    }

    private static bool IsPutIn(int fd, ConnectionRecord* record, int memory, RefillHeader* header)
    {
        if (header->Length > 0 && Asked(fd, memory, header, RefillState.Filled, DoneNanoseconds) != RefillState.Done)
        {
            // Bytes are lost: whoever reads on is to hear of it, rather than of the end of a whole stream.
            KernelEnd.Reset(fd);
        }
        if (!ThreadLock.Enter(&record->ReceiveLock)) return true;
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.WantsKernel);
        Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
        ThreadLock.Exit(&record->ReceiveLock);
        return true;
    }
}
