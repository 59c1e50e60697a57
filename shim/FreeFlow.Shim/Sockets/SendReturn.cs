using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A sender's way from a ring back into the kernel: what the reader may not have of the ring's bytes, in a mirrored ring behind a mark. It follows
/// <c>shim/models/return.pml</c> and <c>localreturn.pml</c>, and never waits by itself: what the kernel does not take now it takes in later calls, and whenever a thread
/// of the process sleeps in one.
/// </summary>
internal static unsafe class SendReturn
{
    private const ulong StepNanoseconds = 2_000_000;

    /// <summary>1: a connection of this process may have a return under way.</summary>
    private static uint _due;

    public static bool IsDue => Volatile.Read(ref _due) != 0;

    public static bool IsUnderWay(ConnectionRecord* record) => Gate.Phase(&record->SendGate) == DirectionPhase.Returning;

    /// <summary>True while the kernel's writability says nothing about what the program sends: the ring takes it, or it waits behind a return.</summary>
    public static bool HidesKernelRoom(ConnectionRecord* record) => Gate.Phase(&record->SendGate) is DirectionPhase.Ring or DirectionPhase.Returning;

    /// <summary>
    /// Leaves the ring, or, if the router has done so meanwhile, takes over from there. Caller holds SendLock, and the direction is in the ring or, with nothing in it, has
    /// just left the kernel.
    /// </summary>
    /// <param name="record">The connection.</param>
    /// <param name="outgoing">Its outgoing block.</param>
    /// <param name="fd">Its descriptor, or −1.</param>
    /// <param name="leaves">Shared rings only: what is unread stays in the ring, and the kernel goes on behind it.</param>
    public static void Begin(ConnectionRecord* record, RingBlockHeader* outgoing, int fd, bool leaves = false)
    {
        bool mirrored = ReturnMark.IsMirrored(record);
        ReturnerState before = ReturnTurns.Take(record, outgoing, fd);
        // A Head that cannot be leaves the last one that could.
        _ = RingWriter.Free(record, outgoing);
        record->SendReturned = 0;
        ulong from = Volatile.Read(ref outgoing->BackAt), end = Volatile.Read(ref outgoing->ReturnEnd);
        bool begun = before == ReturnerState.Paused && from <= end && end <= record->SendTail && record->SendTail - from <= record->Capacity;
        // Who reads no more, or has its kernel answer whatever comes with a reset, reads in its ring what is there.
        leaves |= !mirrored && Volatile.Read(ref outgoing->ReaderClosed) != 0;
        record->SendReturnFrom = begun ? from : leaves ? record->SendTail : record->SendHeadSeen;
        if (!begun)
        {
            Volatile.Write(ref outgoing->BackAt, record->SendReturnFrom);
            Volatile.Write(ref outgoing->ReturnEnd, record->SendTail);
            Volatile.Write(ref outgoing->ReturnSent, 0);
            // A barrier: a reader that closes says so, and then looks at this word; it misses it, or is not missed here.
            Interlocked.Exchange(ref outgoing->Handover, (uint)HandoverState.Back);
        }
        Volatile.Write(ref outgoing->WriterLeft, (uint)LeavingState.Left);
        // The mark answers a request, too, whatever it is for.
        _ = MirroredRecall.TakeUp(outgoing);
        // All is read, and nobody reads any more: a mark sent to a socket that is closed would come back as a reset, and take the peer's end of stream away from this end's
        // program, which may not have read it yet. With bytes unread a reset is what the kernel says, too, unless the reader has only shut down: it reads them in its ring.
        uint closed = Volatile.Read(ref outgoing->ReaderClosed);
        bool needless = mirrored
            ? Volatile.Read(ref outgoing->ReturnSent) == 0 && (closed == RingBlockHeader.ReaderReadsOn || (closed != 0 && record->SendReturnFrom == record->SendTail))
            : closed == RingBlockHeader.ReaderGone;
        ReturnTurns.End(outgoing, done: needless);
        if (needless)
        {
            Gate.Set(&record->SendGate, DirectionPhase.Back);
            if (!mirrored) Doorbell.NotifyReader(record, outgoing);
            return;
        }
        if (mirrored) record->MarksSent++;
        Gate.Set(&record->SendGate, DirectionPhase.Returning);
        _ = Advance(record, fd);
        // Its router helps with what the kernel has not taken now.
        Doorbell.NotifyReader(record, outgoing);
    }

    /// <summary>
    /// For a sender that is still in the kernel, when its reader is Ready and watches for a mark: it will never switch. False if there is nothing to do, or a thread
    /// is inside a kernel send.
    /// </summary>
    /// <param name="record">The connection.</param>
    /// <param name="fd">Its descriptor, or −1.</param>
    /// <param name="lost">Only if its way is lost, looked at once more under the lock: another ring may have come meanwhile.</param>
    public static bool Forgo(ConnectionRecord* record, int fd, bool lost)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Kernel || Volatile.Read(ref outgoing->Handover) != (uint)HandoverState.Ready || !ThreadLock.Enter(&record->SendLock)) return false;
        bool closed = Gate.TryClose(&record->SendGate);
        bool forgone = closed && (!lost || Reattachment.IsWayLost(record)) && Interlocked.CompareExchange(ref outgoing->Handover, (uint)HandoverState.Back, (uint)HandoverState.Ready) == (uint)HandoverState.Ready;
        if (forgone) Begin(record, outgoing, fd);
        else if (closed) Gate.Set(&record->SendGate, DirectionPhase.Kernel);
        ThreadLock.Exit(&record->SendLock);
        return forgone;
    }

    /// <summary>Where a doorbell has been heard, or found closed: leaves the ring if it must be left; true if it has been left.</summary>
    public static bool Answer(ConnectionRecord* record, int fd)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        bool gone = (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0;
        if (!gone && Volatile.Read(ref outgoing->ReaderWantsKernel) == 0) return false;
        if (gone && Forgo(record, fd, lost: true)) return true;
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring || !ThreadLock.Enter(&record->SendLock)) return false;
        gone = Reattachment.IsWayLost(record);
        bool back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring && (gone || Volatile.Read(ref outgoing->Handover) == (uint)HandoverState.Back || MirroredRecall.TakeUp(outgoing));
        if (back) Handover.SendBack(record, gone ? Reason.NoRouter : Reason.DescriptorPassed, fd);
        ThreadLock.Exit(&record->SendLock);
        return back;
    }

    /// <summary>Goes on with a return; true if none is under way any more.</summary>
    public static bool TryAdvance(ConnectionRecord* record, int fd)
    {
        if (!IsUnderWay(record)) return true;
        if (!ThreadLock.Enter(&record->SendLock)) return false;
        bool done = !IsUnderWay(record) || Advance(record, fd);
        ThreadLock.Exit(&record->SendLock);
        if (done) Registrations.Refresh(Connections.IndexOf(record) + 1, owed: true);
        return done;
    }

    /// <summary>
    /// After SendShutdown has been set: true if the end of the stream is the return's to tell, behind its last byte. The program may make no further call; its router sees to
    /// it then.
    /// </summary>
    public static bool TakesShutdown(ConnectionRecord* record, int fd)
    {
        if (!IsUnderWay(record) || !ThreadLock.Enter(&record->SendLock)) return false;
        bool takes = IsUnderWay(record), done = false;
        if (takes)
        {
            Volatile.Write(ref Block.Outgoing(record)->WriterLeft, (uint)LeavingState.ShutDown);
            // The router may have brought in everything, and be gone, before it could know.
            done = Advance(record, fd);
        }
        ThreadLock.Exit(&record->SendLock);
        if (done) Registrations.Refresh(Connections.IndexOf(record) + 1, owed: true);
        return takes;
    }

    /// <summary>
    /// A shared ring at the end of its stream, after one attempt: what the kernel has not taken stays in the ring, where its reader finds it, unless that one has asked for it. Who
    /// asks says so first, and then looks whether this one has stopped; this one the other way round. Caller holds SendLock.
    /// </summary>
    public static void StopUnlessWanted(ConnectionRecord* record)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        if (!IsUnderWay(record) || Volatile.Read(ref outgoing->Returner) != (uint)ReturnerState.Paused) return;
        Interlocked.CompareExchange(ref outgoing->Returner, (uint)ReturnerState.Done, (uint)ReturnerState.Paused);
        uint wanted = Volatile.Read(ref outgoing->ReaderWantsKernel);
        // Who has not asked goes to the kernel only where that has all of it (Recall.IsUnheard).
        bool left = wanted == (uint)RecallState.Unheard && Volatile.Read(ref outgoing->ReturnSent) < Volatile.Read(ref outgoing->ReturnEnd) - Volatile.Read(ref outgoing->BackAt);
        if (wanted == (uint)RecallState.None || left) Gate.Set(&record->SendGate, DirectionPhase.Back);
        else Interlocked.CompareExchange(ref outgoing->Returner, (uint)ReturnerState.Paused, (uint)ReturnerState.Done);
    }

    /// <summary>
    /// A shared ring's return that the kernel has not taken whole, of a program that may make no further call for long: the router goes on with it. A mirrored ring's router
    /// sees that by itself. No lock is held.
    /// </summary>
    public static void AskForHelp(ConnectionRecord* record)
    {
        if (IsUnderWay(record) && !ReturnMark.IsMirrored(record)) _ = Session.TryRequestReturn(Connections.IndexOf(record), record->Generation, ReturnRequest.Outgoing);
    }

    /// <summary>Before a sleep of at most <paramref name="left"/>: goes on with every return, and shortens the sleep while one is left.</summary>
    public static ulong Limit(ulong left)
    {
        if (!IsDue) return left;
        Volatile.Write(ref _due, 0);
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            int fd = Connections.Local[i].FirstDescriptor - 1;
            if (fd >= 0 && IsUnderWay(Family.Records + i) && !TryAdvance(Family.Records + i, fd)) Volatile.Write(ref _due, 1);
        }
        return IsDue && left > StepNanoseconds ? StepNanoseconds : left;
    }

    /// <summary>One attempt; true if the kernel has everything. Caller holds SendLock and the return is under way.</summary>
    public static bool Advance(ConnectionRecord* record, int fd)
    {
        int errno = Process.Errno;
        if (fd < 0) fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
        RingBlockHeader* outgoing = Block.Outgoing(record);
        ReturnTurns.Take(record, outgoing, fd);
        bool done = ReturnPush.Try(record, outgoing, fd);
        ReturnTurns.End(outgoing, done);
        if (done)
        {
            // A shutdown that the return held up.
            if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0) Process.Libc->shutdown(fd, Linux.SHUT_WR);
            Gate.Set(&record->SendGate, DirectionPhase.Back);
        }
        else Volatile.Write(ref _due, 1);
        Process.Errno = errno;
        return done;
    }
}
