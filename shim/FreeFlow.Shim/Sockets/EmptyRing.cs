using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>What it means that there is nothing to read in a ring: not yet, gone back to the kernel, closed, or dead. Callers hold ReceiveLock.</summary>
internal static unsafe class EmptyRing
{
    /// <summary>Something has changed: look again.</summary>
    public const int Retry = int.MinValue + 2;

    /// <summary>
    /// An empty ring asks the kernel about end of stream now and then even if nothing hinted at it: a peer that was killed says nothing. Every so many
    /// empty reads the clock is asked, and after so much time the kernel.
    /// </summary>
    public const uint EmptyReadsPerClock = 16;
    private const ulong KernelLookNanoseconds = 200_000;

    /// <summary>The ring is empty: has the writer gone back, closed, or died? Retry, 0 at end of stream, or a negative errno.</summary>
    public static nint Look(int fd, ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (ReturnMark.IsMirrored(record)) return MirroredReceiver.WhenEmpty(fd, record, incoming);
        if (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back)
        {
            if (RingReader.Available(record, incoming) != 0) return Retry;
            return Handover.TakeUpKernel(record, incoming) ? Retry : Corrupt(fd, record);
        }
        if (record->PendingError != 0 && !OwnMistake.Is(record->PendingError))
        {
            nint pending = -record->PendingError;
            record->PendingError = 0;
            return pending;
        }
        if (Volatile.Read(ref record->KernelAttention) == 0 && Volatile.Read(ref incoming->WriterClosed) == 0 && !IsKernelLookDue(record)) return -Linux.EAGAIN;

        Volatile.Write(ref record->KernelAttention, 0);
        byte one;
        nint kernel = Process.FromLibc(Process.Libc->recv(fd, &one, 1, Linux.MSG_PEEK | Linux.MSG_DONTWAIT));
        // The kernel's news came after the ring's bytes: look again before it is believed (shim/models/close.pml).
        if (RingReader.Available(record, incoming) != 0 || Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back)
        {
            if (kernel is < 0 and not -Linux.EAGAIN) record->PendingError = (int)-kernel;
            if (kernel != -Linux.EAGAIN) Volatile.Write(ref record->KernelAttention, 1);
            return Retry;
        }
        if (kernel == 0) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
        if (kernel == 0 && PeerDeath.IsReset(fd, record)) kernel = -Linux.ECONNRESET;
        if (kernel == -Linux.EAGAIN) return -Linux.EAGAIN;
        Volatile.Write(ref record->KernelAttention, 1);
        if (kernel <= 0) return kernel;
        // Bytes that the peer sent by a road its shim does not see. With the ring empty before and after, this is their place.
        record->Reason = (uint)Reason.BytesOutOfSight;
        Strictness.FellBack(record, Reason.BytesOutOfSight);
        record->ReceiveSwitchAt += (ulong)Waiting(fd);
        return Retry;
    }

    private static int Waiting(int fd)
    {
        int bytes = 0;
        Process.Libc->ioctl(fd, Linux.FIONREAD, &bytes);
        return bytes;
    }

    /// <summary>True if it is time to ask the kernel though nothing hinted at news.</summary>
    public static bool IsKernelLookDue(ConnectionRecord* record)
    {
        ulong now = Process.Now();
        if (now - record->KernelLookedAt < KernelLookNanoseconds) return false;
        record->KernelLookedAt = now;
        return true;
    }

    /// <summary>A peer that writes nonsense is as good as one that resets the connection: so it is for every call that follows, and for poll(2).</summary>
    public static nint Corrupt(int fd, ConnectionRecord* record)
    {
        Log.Line("the peer wrote an impossible position into the ring; connection reset\n"u8);
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
        int errno = Process.Errno;
        Process.Libc->shutdown(fd, Linux.SHUT_RDWR);
        Process.Errno = errno;
        Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        record->Reason = (uint)Reason.CorruptRing;
        Strictness.FellBack(record, Reason.CorruptRing);
        Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
        return -Linux.ECONNRESET;
    }
}
