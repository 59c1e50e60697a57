using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>All receiving calls end here (recv(2), readv(2)): the kernel path while the direction is there, then the remaining kernel bytes, then the ring.</summary>
internal static unsafe class Receiver
{
    /// <summary>The call is the kernel's to make.</summary>
    public const int ByKernel = int.MinValue + 1;

    /// <summary>The direction has changed its road meanwhile: the call is to be made again.</summary>
    public const int Anew = int.MinValue + 3;

    /// <summary>Receives into the message's buffers with MSG_ flags; the bytes, 0 at end of stream, or a negative errno.</summary>
    /// <param name="keep">What was closed meanwhile stays within reach; the caller is to release it (<see cref="Orphans.Release"/>).</param>
    public static nint Receive(int fd, ConnectionRecord* record, MessageHeader* message, int flags, bool keep = false)
    {
        while (true)
        {
            nint received = Once(fd, record, message, flags, keep);
            if (received != Anew) return received;
            // The descriptor may have been closed by another thread while this one slept.
            fd = Orphans.Reach(record, fd);
            if (fd < 0) return -Linux.EBADF;
        }
    }

    /// <summary>As <see cref="Receive"/>, or <see cref="Anew"/>.</summary>
    private static nint Once(int fd, ConnectionRecord* record, MessageHeader* message, int flags, bool keep)
    {
        if (EnterKernel(fd, record))
        {
            nint received = KernelReceive.Take(fd, record, message, flags);
            LeaveKernel(fd, record, received);
            return received;
        }
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        if (Strictness.HasRefused(record)) return -Linux.ENETUNREACH;
        if ((flags & (Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) != 0) return KernelReceive.Take(fd, record, message, flags);
        // Told by the kernel while the ring still had bytes to answer.
        if (phase == DirectionPhase.Back && OwnMistake.Tell(fd, record) is var pending && pending != 0) return pending;
        if (phase == DirectionPhase.Back && !MustHearDoorbell(record)) return Held(fd, record, message, flags);
        if (Reattachment.IsDetached(record)) Session.Look();
        nuint total = VectorCursor.Total(message->Vectors, message->VectorCount);
        nint result = total == 0 ? Nothing(fd, record, flags) : RingReceive.Take(fd, record, message, flags);
        if (result == ByKernel)
        {
            int open = Orphans.Reach(record, fd);
            result = open >= 0 ? Held(open, record, message, flags) : -Linux.EBADF;
        }
        else if (result >= 0) KernelReceive.SetOutputs(message, flags);
        if (result > 0 && Reattachment.IsWayLost(record)) Offering.Count(fd, record);
        if (!keep) Orphans.Release(record);
        return result;
    }

    /// <summary>A receive by the kernel, which is counted while it lasts; <see cref="Anew"/> if the direction has left the kernel.</summary>
    private static nint Held(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        if (!Gate.Enter(&record->ReceiveGate, &record->ReceiveLock)) return Anew;
        nint received = KernelReceive.Take(fd, record, message, flags);
        LeaveKernel(fd, record, received);
        return received;
    }

    /// <summary>
    /// After every step that is due: true if this direction is in the kernel, where it stays until <see cref="LeaveKernel"/>.
    /// </summary>
    public static bool EnterKernel(int fd, ConnectionRecord* record)
    {
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Kernel) return false;
        Session.Look();
        Offering.AtOnce(fd, record);
        if (Volatile.Read(ref record->RingAddress) != 0) Handover.AnnounceReady(fd, record);
        return !Strictness.HasRefused(record) && Gate.Enter(&record->ReceiveGate, &record->ReceiveLock);
    }

    public static void LeaveKernel(int fd, ConnectionRecord* record, nint received)
    {
        Gate.Leave(&record->ReceiveGate);
        if (received > 0) Offering.Count(fd, record);
    }

    /// <summary>This end still sends by the ring: while it waits for the kernel's bytes the peer, or its router, may ask for those of the ring, or be gone.</summary>
    private static bool MustHearDoorbell(ConnectionRecord* record) => Gate.Phase(&record->SendGate) is DirectionPhase.Ring or DirectionPhase.Returning;

    /// <summary>
    /// The short way of a plain receive from a ring: the bytes; −EAGAIN if the ring is empty and the call must not wait; 0 if <see cref="Receive"/> must see to it.
    /// </summary>
    public static nint TrySome(ConnectionRecord* record, byte* buffer, nuint count, int flags)
    {
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring || count == 0 || (record->Flags & (uint)(ConnectionFlags.WantsKernel | ConnectionFlags.LowWater)) != 0) return 0;
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Volatile.Read(ref incoming->Tail) != Volatile.Read(ref record->ReceiveHead)) return RingReader.TryReadSome(record, incoming, buffer, count);
        bool wait = (flags & Linux.MSG_DONTWAIT) == 0 && (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.NonBlocking) == 0;
        bool news = (Volatile.Read(ref record->KernelAttention) | Volatile.Read(ref incoming->WriterClosed) | (uint)record->PendingError) != 0
            || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Ring || record->KernelConsumed < record->ReceiveSwitchAt;
        return wait || news || ++record->EmptyReads % EmptyRing.EmptyReadsPerClock == 0 ? 0 : -Linux.EAGAIN;
    }

    /// <summary>
    /// A recv(2) of nothing: 0 if there is something or the stream has ended; otherwise the kernel waits once, and answers 0 for whatever has ended the wait, even an
    /// error, which the next call tells.
    /// </summary>
    private static nint Nothing(int fd, ConnectionRecord* record, int flags)
    {
        bool locked = ThreadLock.Enter(&record->ReceiveLock), back = locked && RingReceive.HasGoneBack(fd, record);
        if (locked) ThreadLock.Exit(&record->ReceiveLock);
        if (back) return ByKernel;
        byte one;
        IoVector vector = new() { Base = &one, Length = 1 };
        MessageHeader look = new() { Vectors = &vector, VectorCount = 1 };
        nint found = RingReceive.Take(fd, record, &look, (flags & ~Linux.MSG_WAITALL) | Linux.MSG_PEEK | Linux.MSG_DONTWAIT);
        if (found == Anew) return Anew;
        if (found != -Linux.EAGAIN || (flags & Linux.MSG_DONTWAIT) != 0 || Blocking.IsNonBlocking(fd, record)) return found > 0 ? 0 : found;
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        ulong deadline = Waiter.Unknown;
        PollDescriptor kernel = new() { Descriptor = fd, Events = Linux.POLLIN | Linux.POLLRDHUP };
        // A doorbell that was rung for an earlier call ends no wait.
        while (Waiter.ForInput(fd, record, ref deadline) == 0 && thread->SignalsHandled == signals
            && !RingReadiness.HasInput(record, Block.Incoming(record)) && Process.Libc->poll(&kernel, 1, 0) == 0) { }
        return 0;
    }
}
