using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>All receiving calls end here (recv(2), readv(2)): the kernel path while the direction is there, then the remaining kernel bytes, then the ring.</summary>
internal static unsafe class Receiver
{
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
            nint received = Kernel(fd, record, message, flags);
            LeaveKernel(fd, record, received);
            return received;
        }
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        if (Strictness.HasRefused(record)) return -Linux.ENETUNREACH;
        if ((flags & (Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) != 0) return Kernel(fd, record, message, flags);
        // Told by the kernel while the ring still had bytes to answer.
        if (phase == DirectionPhase.Back && record->PendingError != 0) return -Interlocked.Exchange(ref record->PendingError, 0);
        if (phase == DirectionPhase.Back && !MustHearDoorbell(record)) return Held(fd, record, message, flags);
        if (Reattachment.IsDetached(record)) Session.Look();
        nuint total = VectorCursor.Total(message->Vectors, message->VectorCount);
        nint result = total == 0 ? Nothing(fd, record, flags) : FromRing(fd, record, message, flags);
        if (result == ByKernel)
        {
            int open = Orphans.Reach(record, fd);
            result = open >= 0 ? Held(open, record, message, flags) : -Linux.EBADF;
        }
        else if (result >= 0) SetOutputs(message, flags);
        if (result > 0 && Reattachment.IsWayLost(record)) Offering.Count(fd, record);
        if (!keep) Orphans.Release(record);
        return result;
    }

    /// <summary>A receive by the kernel, which is counted while it lasts; <see cref="Anew"/> if the direction has left the kernel.</summary>
    private static nint Held(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        if (!Gate.Enter(&record->ReceiveGate, &record->ReceiveLock)) return Anew;
        nint received = Kernel(fd, record, message, flags);
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

    private static nint FromRing(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        VectorCursor target = new(message->Vectors, message->VectorCount);
        bool all = (flags & Linux.MSG_WAITALL) != 0, peek = (flags & Linux.MSG_PEEK) != 0;
        nint received = 0, least = LowWater.Least(fd, record, VectorCursor.Total(message->Vectors, message->VectorCount));
        ulong deadline = Waiter.Unknown;
        int waiting = Unasked;
        while (true)
        {
            // The ring is gone, and another one may come: the kernel's own wait is counted, this one's is not.
            if (received == 0 && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Kernel) return Anew;
            // A receive for all ends where urgent data begins; the kernel, asked for nothing but what is behind it, would pass it over.
            if (received > 0 && all && IsAtMark(fd, record)) return received;
            if (!ThreadLock.Enter(&record->ReceiveLock)) return received > 0 ? received : -Linux.EAGAIN;
            // Only the kernel has ancillary data, or can wait for more behind what is peeked at. All else waits here, where the peer's requests are heard.
            if ((message->Control != null || (peek && all)) && received == 0 && HasGoneBack(fd, record)) { ThreadLock.Exit(&record->ReceiveLock); return ByKernel; }
            ulong consumed = record->KernelConsumed;
            bool seams = MirroredReceiver.HasSeams(record);
            nint step = Step(fd, record, ref target, flags);
            bool crossed = record->KernelConsumed != consumed && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && record->KernelConsumed >= record->ReceiveSwitchAt;
            ThreadLock.Exit(&record->ReceiveLock);
            // Until now the kernel reported this connection's input; from here on the ring does, to epoll sets that have not looked at it yet.
            if (crossed) Registrations.Heat(record);
            if (step > 0)
            {
                received += step;
                // Where the kernel's bytes end and the ring's begin, one read goes on as if there were no seam.
                bool more = !peek && (seams || RingReadiness.HasInput(record, Block.Incoming(record))) && !IsAtMark(fd, record);
                bool wants = all || received < least;
                if (target.AtEnd || !(wants || more) || (wants && IsAtMark(fd, record))) return received;
                if (!peek) continue;
                // While no ring carries anything yet, only the kernel can wait for more than it has.
                bool waits = Waits(fd, record, flags, ref waiting), early = Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready;
                if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back || (waits && early && Handover.Retract(record))) return ByKernel;
                // Nothing was taken: wait until there is more than this, then look at all of it again.
                if (!waits || !MayGrow(fd, record)) return received;
                int grown = Waiter.ForInput(fd, record, ref deadline, RingReader.Available(record, Block.Incoming(record)));
                fd = Orphans.Reach(record, fd);
                if (grown != 0 || fd < 0) return received;
                target = new VectorCursor(message->Vectors, message->VectorCount);
                received = 0;
                continue;
            }
            if (step != -Linux.EAGAIN)
            {
                if (received > 0 && step is < 0 and not -Linux.EFAULT) record->PendingError = (int)-step;
                return received > 0 ? received : step;
            }
            if (received >= least && !all) return received;
            if (!Waits(fd, record, flags, ref waiting))
            {
                Session.GlanceSometimes();
                return received > 0 ? received : -Linux.EAGAIN;
            }
            bool urgent = received > 0 && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back;
            if (urgent && IsKernelAtMark(fd)) return received;
            int waited = Waiter.ForInput(fd, record, ref deadline, urgent: urgent && !HasUrgent(fd));
            if (waited < 0 || (waited > 0 && received > 0)) return received > 0 ? received : waited;
            if (waited > 0) { waiting = Unasked; deadline = Waiter.Unknown; }
            fd = Orphans.Reach(record, fd);
            if (fd < 0) return received > 0 ? received : -Linux.EBADF;
        }
    }

    /// <summary>One attempt that never blocks. Caller holds ReceiveLock.</summary>
    private static nint Step(int fd, ConnectionRecord* record, ref VectorCursor target, int flags)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        while (true)
        {
            switch (Gate.Phase(&record->ReceiveGate))
            {
                case DirectionPhase.Ready when ReturnMark.IsMirrored(record):
                    nint unmarked = MirroredReceiver.WhileReady(fd, record, incoming, VectorCursor.Total(ref target), peeks: (flags & Linux.MSG_PEEK) != 0);
                    if (unmarked == EmptyRing.Retry) continue;
                    return unmarked <= 0 ? unmarked : KernelPart(fd, record, ref target, flags, (nuint)unmarked);

                case DirectionPhase.Returning:
                    nint rest = MirroredReceiver.WhileReturning(fd, record);
                    if (rest == EmptyRing.Retry) continue;
                    if (rest <= 0) return rest;
                    nint came = KernelPart(fd, record, ref target, flags, (nuint)rest);
                    return came == 0 && !target.AtEnd ? MirroredReceiver.Reset(fd, record) : came;

                case DirectionPhase.Ready:
                    // Not Ready while the kernel is read: a writer that switched and went back meanwhile could put bytes behind the ring's into reach.
                    if (Interlocked.CompareExchange(ref incoming->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready) != (uint)HandoverState.Ready)
                    {
                        if (!Handover.TakeUpRing(record, incoming)) return EmptyRing.Corrupt(fd, record);
                        continue;
                    }
                    nint early = KernelPart(fd, record, ref target, flags, nuint.MaxValue);
                    Volatile.Write(ref incoming->Handover, (uint)HandoverState.Ready);
                    return early;

                case DirectionPhase.Ring:
                    if (record->KernelConsumed < record->ReceiveSwitchAt)
                    {
                        nuint before = (nuint)(record->ReceiveSwitchAt - record->KernelConsumed);
                        VectorCursor start = target;
                        nint part = KernelPart(fd, record, ref target, flags, before);
                        if ((flags & Linux.MSG_PEEK) == 0 || part != (nint)before) return part;
                        nint behind = RingReader.Read(record, incoming, ref target, true, (flags & Linux.MSG_TRUNC) != 0);
                        return behind < 0 ? part : part + behind + PeekBeyond(fd, record, incoming, start, ref target, flags, part, behind);
                    }
                    if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0)
                    {
                        bool back = Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back;
                        if (!back && !Recall.GiveUp(record, incoming)) return -Linux.EAGAIN;
                        if (back && !Recall.Settle(record, incoming)) continue;
                    }
                    nint copied = RingReader.Read(record, incoming, ref target, (flags & Linux.MSG_PEEK) != 0, (flags & Linux.MSG_TRUNC) != 0);
                    if (copied > 0 && (flags & Linux.MSG_PEEK) != 0) return copied + PeekBehind(fd, record, incoming, ref target, flags, copied);
                    if (copied > 0) return copied;
                    if (copied < 0) return copied == RingWriter.BadBuffer ? -Linux.EFAULT : EmptyRing.Corrupt(fd, record);
                    nint beyond = EmptyRing.Look(fd, record, incoming);
                    if (beyond != EmptyRing.Retry) return beyond;
                    continue;

                default:
                    return KernelPart(fd, record, ref target, flags, nuint.MaxValue);
            }
        }
    }

    private const int ByKernel = int.MinValue + 1;

    /// <summary>The direction has changed its road meanwhile: the call is to be made again.</summary>
    private const int Anew = int.MinValue + 3;

    /// <summary>True if nothing is left in the ring and the writer is Back. Caller holds ReceiveLock.</summary>
    private static bool HasGoneBack(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back && record->KernelConsumed >= record->ReceiveSwitchAt)
        {
            if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0) Recall.Settle(record, incoming);
            else if (RingReader.Available(record, incoming) == 0) Handover.TakeUpKernel(record, incoming);
            if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Returning) _ = ReceiveReturn.Drop(fd, record);
        }
        return Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back;
    }

    /// <summary>Where the ring ends and the kernel goes on: the bytes there that a peek sees behind the ring's <paramref name="copied"/>.</summary>
    private static nint PeekBehind(int fd, ConnectionRecord* record, RingBlockHeader* incoming, ref VectorCursor target, int flags, nint copied)
    {
        if (target.AtEnd || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Back || RingReader.Available(record, incoming) != copied || IsKernelAtMark(fd)) return 0;
        nint bound = ReturnMark.IsMirrored(record) ? ReceiveReturn.Drop(fd, record) : ReceiveReturn.Unbounded;
        nint behind = bound > 0 ? KernelPart(fd, record, ref target, flags, (nuint)bound) : 0;
        return behind > 0 ? behind : KeepError(record, behind);
    }

    /// <summary>
    /// What the kernel has behind the ring's <paramref name="behind"/> bytes, where the ring has come and gone behind <paramref name="part"/> unread ones of the kernel: a
    /// peek of the kernel alone sees both, so the first part is looked at once more, into its own place.
    /// </summary>
    private static nint PeekBeyond(int fd, ConnectionRecord* record, RingBlockHeader* incoming, VectorCursor start, ref VectorCursor target, int flags, nint part, nint behind)
    {
        const int pieces = 16;
        if (target.AtEnd || ReturnMark.IsMirrored(record) || Volatile.Read(ref incoming->Handover) != (uint)HandoverState.Back || RingReader.Available(record, incoming) != behind) return 0;
        IoVector* vectors = stackalloc IoVector[2 * pieces];
        nuint first = start.CopyTo(vectors, pieces, (nuint)part);
        if (VectorCursor.Total(vectors, first) != (nuint)part) return 0;
        MessageHeader both = new() { Vectors = vectors, VectorCount = first + target.CopyTo(vectors + first, pieces, nuint.MaxValue) };
        nint seen = Kernel(fd, record, &both, (flags & ~Linux.MSG_WAITALL) | Linux.MSG_DONTWAIT), beyond = seen - part;
        if (beyond <= 0) return KeepError(record, seen);
        target.AdvanceAll((nuint)beyond);
        return beyond;
    }

    /// <summary>The kernel tells an error once: to a look that has bytes to answer it is to be told later. 0.</summary>
    private static nint KeepError(ConnectionRecord* record, nint answer)
    {
        if (answer is < 0 and not -Linux.EAGAIN and not -Linux.EFAULT) record->PendingError = (int)-answer;
        return 0;
    }

    /// <summary>True if what the kernel has next is urgent data, which a read never crosses (tcp(7)).</summary>
    private static bool IsAtMark(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        uint handover = Volatile.Read(ref incoming->Handover);
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        if (phase == DirectionPhase.Ring && handover != (uint)HandoverState.Back) return false;
        // The ring's bytes come first.
        if (phase is DirectionPhase.Ring or DirectionPhase.Ready && handover >= (uint)HandoverState.Ring && RingReader.Available(record, incoming) != 0) return false;
        return IsKernelAtMark(fd);
    }

    /// <summary>True if there is urgent data, which may have been passed over long ago: it wakes nobody then.</summary>
    private static bool HasUrgent(int fd)
    {
        PollDescriptor look = new() { Descriptor = fd, Events = Linux.POLLPRI };
        return Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLPRI) != 0;
    }

    private static bool IsKernelAtMark(int fd)
    {
        int mark = 0;
        Process.Libc->ioctl(fd, Linux.SIOCATMARK, &mark);
        return mark != 0;
    }

    /// <summary>False if the stream has ended behind the ring's bytes, or goes on in the kernel.</summary>
    private static bool MayGrow(int fd, ConnectionRecord* record)
    {
        byte one;
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring || Volatile.Read(ref Block.Incoming(record)->Handover) != (uint)HandoverState.Ring) return false;
        nint look = Process.FromLibc(Process.Libc->recv(fd, &one, 1, Linux.MSG_PEEK | Linux.MSG_DONTWAIT));
        _ = KeepError(record, look);
        return look == -Linux.EAGAIN;
    }

    /// <summary>A receive on the kernel socket of at most <paramref name="limit"/> bytes, never blocking, counted towards the switch.</summary>
    private static nint KernelPart(int fd, ConnectionRecord* record, ref VectorCursor target, int flags, nuint limit)
    {
        const int pieces = 16;
        IoVector* vectors = stackalloc IoVector[pieces];
        MessageHeader part = new() { Vectors = vectors, VectorCount = target.CopyTo(vectors, pieces, limit) };
        nint received = Kernel(fd, record, &part, (flags & ~Linux.MSG_WAITALL) | Linux.MSG_DONTWAIT);
        if (received <= 0) return received;
        if ((flags & Linux.MSG_PEEK) == 0)
        {
            Volatile.Write(ref record->KernelConsumed, record->KernelConsumed + (ulong)received);
            ReceiveReturn.Passed(record, received);
        }
        target.AdvanceAll((nuint)received);
        return received;
    }

    private static nint Kernel(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        bool plain = message->VectorCount == 1 && message->Name == null && message->Control == null && (flags & (Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) == 0;
        nint received = Process.FromLibc(plain
            ? Process.Libc->recv(fd, message->Vectors->Base, message->Vectors->Length, flags)
            : Process.Libc->recvmsg(fd, message, flags));
        if (plain && received >= 0) SetOutputs(message, flags);
        if (received > 0 && (flags & (Linux.MSG_PEEK | Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) == 0) Interlocked.Add(ref record->KernelReceived, (ulong)received);
        return received;
    }

    /// <summary>What recvmsg(2) leaves in a header when a stream had nothing to tell beside its bytes.</summary>
    private static void SetOutputs(MessageHeader* message, int flags)
    {
        if (message->Name != null) message->NameLength = 0;
        message->ControlLength = 0;
        message->Flags = flags & Linux.MSG_CMSG_CLOEXEC;
    }

    /// <summary>
    /// A recv(2) of nothing: 0 if there is something or the stream has ended; otherwise the kernel waits once, and answers 0 for whatever has ended the wait, even an
    /// error, which the next call tells.
    /// </summary>
    private static nint Nothing(int fd, ConnectionRecord* record, int flags)
    {
        bool locked = ThreadLock.Enter(&record->ReceiveLock), back = locked && HasGoneBack(fd, record);
        if (locked) ThreadLock.Exit(&record->ReceiveLock);
        if (back) return ByKernel;
        byte one;
        IoVector vector = new() { Base = &one, Length = 1 };
        MessageHeader look = new() { Vectors = &vector, VectorCount = 1 };
        nint found = FromRing(fd, record, &look, (flags & ~Linux.MSG_WAITALL) | Linux.MSG_PEEK | Linux.MSG_DONTWAIT);
        if (found == Anew) return Anew;
        if (found != -Linux.EAGAIN || (flags & Linux.MSG_DONTWAIT) != 0 || IsNonBlocking(fd, record)) return found > 0 ? 0 : found;
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        ulong deadline = Waiter.Unknown;
        PollDescriptor kernel = new() { Descriptor = fd, Events = Linux.POLLIN | Linux.POLLRDHUP };
        // A doorbell that was rung for an earlier call ends no wait.
        while (Waiter.ForInput(fd, record, ref deadline) == 0 && thread->SignalsHandled == signals
            && !RingReadiness.HasInput(record, Block.Incoming(record)) && Process.Libc->poll(&kernel, 1, 0) == 0) { }
        return 0;
    }

    public const int Unasked = 0;

    /// <summary>Whether a call may wait, found out once: O_NONBLOCK that is set while it sleeps is for the calls that follow, as in the kernel.</summary>
    public static bool Waits(int fd, ConnectionRecord* record, int flags, ref int answer)
    {
        const int yes = 1, no = 2;
        if (answer == Unasked) answer = (flags & Linux.MSG_DONTWAIT) == 0 && !IsNonBlocking(fd, record) ? yes : no;
        return answer == yes;
    }

    /// <summary>O_NONBLOCK: believed when set, asked again from the kernel when not, because the thread is about to sleep.</summary>
    public static bool IsNonBlocking(int fd, ConnectionRecord* record)
    {
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.NonBlocking) != 0) return true;
        return (Process.Libc->fcntl(fd, Linux.F_GETFL, null) & Linux.O_NONBLOCK) != 0;
    }
}
