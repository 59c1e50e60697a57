using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>All sending calls end here (send(2), writev(2)).</summary>
internal static unsafe class Sender
{
    private const int KernelOnlyFlags = Linux.MSG_OOB | Linux.MSG_ZEROCOPY | Linux.MSG_FASTOPEN;

    /// <summary>Sends the message's buffers with MSG_ flags; the bytes taken, or a negative errno. SIGPIPE is the kernel's to raise.</summary>
    public static nint Send(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        // A reader that skips the urgent byte cannot count on to where the ring would begin: this connection stays in the kernel.
        if ((flags & Linux.MSG_OOB) != 0) Offering.KeepInKernel(record, Reason.KernelOnlyOption);
        if (!IsOnRing(fd, record, flags & KernelOnlyFlags))
        {
            int entered = EnterKernel(fd, record, flags);
            if (entered < 0) return entered;
            if (entered > 0) return LeaveKernel(fd, record, true, Kernel(fd, message, flags));
        }
        VectorCursor source = new(message->Vectors, message->VectorCount);
        if (source.AtEnd) return Kernel(fd, message, flags);
        nint result = IntoRing(fd, record, ref source, flags);
        Orphans.Release(record);
        return result;
    }

    /// <summary>The short way of a plain send into a ring with room for all of it; false if <see cref="Send"/> must see to it.</summary>
    public static bool TryWhole(ConnectionRecord* record, byte* buffer, nuint count)
    {
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring || count == 0) return false;
        RingBlockHeader* outgoing = Block.Outgoing(record);
        return !MustGoBack(record, outgoing) && RingWriter.TryWriteWhole(record, outgoing, buffer, count);
    }

    /// <summary>
    /// Nobody reads the ring any more, or nobody may: the kernel knows, and goes on from here with its own errors. A peer that has only half-closed
    /// reads the ring to its end and then the kernel.
    /// </summary>
    private static bool MustGoBack(ConnectionRecord* record, RingBlockHeader* outgoing) => (Volatile.Read(ref outgoing->ReaderWantsKernel) | Ended(record, outgoing)) != 0;

    private static uint Ended(ConnectionRecord* record, RingBlockHeader* outgoing) =>
        Volatile.Read(ref outgoing->ReaderClosed) | (Volatile.Read(ref record->Flags) & (uint)(ConnectionFlags.SendShutdown | ConnectionFlags.PeerFinished | ConnectionFlags.DoorbellGone));

    /// <summary>After <see cref="MustGoBack"/>: gives the direction back, unless all that spoke for it was a request that the peer on another host has withdrawn by now.</summary>
    private static void GoBackIfStillDue(ConnectionRecord* record, RingBlockHeader* outgoing)
    {
        if (ReturnMark.IsMirrored(record) && Ended(record, outgoing) == 0) Recall.AnswerAtOnce(record);
        else GoBack(record, Ended(record, outgoing) == 0 ? Recall.Cause(outgoing) : Reason.PeerClosed);
    }

    /// <summary>As <see cref="Send"/>, by the kernel whatever else is possible: the direction goes back to it.</summary>
    public static nint SendByKernel(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        int entered;
        do
        {
            if (Gate.Phase(&record->SendGate) == DirectionPhase.Ring) GoBack(record, Reason.KernelOnlyOption);
            entered = EnterKernel(fd, record, flags);
        }
        while (entered == 0);
        return entered < 0 ? entered : LeaveKernel(fd, record, true, Kernel(fd, message, flags));
    }

    /// <summary>
    /// Enters the kernel path, behind a return that is under way: 1, or 0 if a ring carries the direction by now, or a negative errno.
    /// </summary>
    public static int EnterKernel(int fd, ConnectionRecord* record, int flags)
    {
        while (true)
        {
            if (BeforeKernel(fd, record, flags) is var held && held < 0) return (int)held;
            if (Gate.Enter(&record->SendGate, &record->SendLock)) return 1;
            DirectionPhase phase = Gate.Phase(&record->SendGate);
            if (phase == DirectionPhase.Ring) return 0;
            // A signal handler that has interrupted its own thread's switch: bytes sent now would be lost behind it.
            if (phase == DirectionPhase.Switching) return -Linux.EAGAIN;
        }
    }

    /// <summary>Before a kernel send of any kind: 0, or the negative errno that is answered in its place.</summary>
    public static nint BeforeKernel(int fd, ConnectionRecord* record, int flags)
    {
        if (Strictness.HasRefused(record)) return -Linux.ENETUNREACH;
        // The kernel has told this error already, to a receive that had bytes to answer first; whatever comes next tells it once.
        if (record->PendingError != 0) return -Interlocked.Exchange(ref record->PendingError, 0);
        return SendReturn.IsUnderWay(record) ? ReturnWaiter.BeforeSend(fd, record, flags) : 0;
    }

    /// <summary>After a kernel send of any kind: counts its bytes, then leaves the gate if it was entered.</summary>
    public static nint LeaveKernel(int fd, ConnectionRecord* record, bool entered, nint sent)
    {
        if (sent > 0) Interlocked.Add(ref record->KernelSent, (ulong)sent);
        if (entered) Gate.Leave(&record->SendGate);
        if (sent > 0) Offering.Count(fd, record);
        return sent;
    }

    /// <summary>
    /// True if this direction runs through the ring, after taking every step that is due: the router's answer, the switch, the way back for what
    /// only the kernel can send.
    /// </summary>
    public static bool IsOnRing(int fd, ConnectionRecord* record, int kernelOnly)
    {
        DirectionPhase phase = Gate.Phase(&record->SendGate);
        if (phase == DirectionPhase.Kernel)
        {
            Session.Look();
            Offering.AtOnce(fd, record);
            if (Volatile.Read(ref record->RingAddress) == 0 || kernelOnly != 0) return false;
            // The router is gone that would have to carry the bytes, or the way to the other one.
            if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0 && ReturnMark.IsMirrored(record)) { _ = SendReturn.Forgo(record, fd, lost: true); return false; }
            Handover.TrySwitch(fd, record);
            phase = Gate.Phase(&record->SendGate);
        }
        if (phase != DirectionPhase.Ring) return false;
        if (kernelOnly == 0 && !MustGoBack(record, Block.Outgoing(record))) return true;
        if (kernelOnly != 0) GoBack(record, Reason.KernelOnlyOption);
        else GoBackIfStillDue(record, Block.Outgoing(record));
        return Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
    }

    /// <summary>Gives the sending direction back to the kernel if it is on the ring.</summary>
    public static void GoBack(ConnectionRecord* record, Reason reason)
    {
        if (reason == Reason.PeerClosed) PeerDeath.Note(record);
        if (!ThreadLock.Enter(&record->SendLock)) return;
        bool back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
        if (back) Handover.SendBack(record, reason);
        ThreadLock.Exit(&record->SendLock);
        if (back) Registrations.Refresh(Connections.IndexOf(record) + 1, owed: true);
    }

    private static nint IntoRing(int fd, ConnectionRecord* record, ref VectorCursor source, int flags)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        nint sent = 0, rest;
        ulong deadline = Waiter.Unknown;
        int waiting = Blocking.Unasked;
        while (true)
        {
            if (!ThreadLock.Enter(&record->SendLock)) return sent > 0 ? sent : -Linux.EAGAIN;
            bool onRing = Gate.Phase(&record->SendGate) == DirectionPhase.Ring;
            nint step = onRing ? RingWriter.Write(record, outgoing, ref source) : -1;
            ThreadLock.Exit(&record->SendLock);
            if (step == RingWriter.BadBuffer) return sent > 0 ? sent : -Linux.EFAULT;
            if (step < 0)
            {
                if (onRing) GoBack(record, Reason.CorruptRing);
                rest = KernelRest(fd, record, ref source, flags, sent);
                if (rest != OnRing) return rest;
                continue;
            }
            sent += step;
            Recall.AnswerAtOnce(record, fd);
            if (source.AtEnd) return sent;
            if (MustGoBack(record, outgoing))
            {
                GoBackIfStillDue(record, outgoing);
                rest = KernelRest(fd, record, ref source, flags, sent);
                if (rest != OnRing) return rest;
                continue;
            }
            ulong window = record->SendWindow;
            bool outgrown = BufferSizes.HasOutgrown(fd, record);
            if (record->SendWindow > window) continue;
            if (!Blocking.Waits(fd, record, flags, ref waiting))
            {
                if (outgrown) { GoBack(record, Reason.KernelOnlyOption); continue; }
                Volatile.Write(ref record->SendBlocked, 1);
                Registrations.Heat(record);
                return sent > 0 ? sent : -Linux.EAGAIN;
            }
            ulong head = Volatile.Read(ref outgoing->Head);
            int waited = Waiter.ForOutput(fd, record, ref deadline);
            // A reader that has stopped: the kernel has room for what the program has asked room for.
            if (waited == 0 && outgrown && Volatile.Read(ref outgoing->Head) == head && !RingReadiness.HasRoom(record, outgoing)) GoBack(record, Reason.KernelOnlyOption);
            fd = Orphans.Reach(record, fd);
            if (fd < 0) return sent > 0 ? sent : -Linux.EBADF;
            if (waited == -Linux.EPIPE)
            {
                // A closed doorbell says nothing of a peer on another host.
                if (!ReturnMark.IsMirrored(record) || (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) == 0) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
            }
            else if (waited < 0 || (waited > 0 && sent > 0)) return sent > 0 ? sent : waited;
            else if (waited > 0) { waiting = Blocking.Unasked; deadline = Waiter.Unknown; }
        }
    }

    /// <summary>The direction is on a ring again.</summary>
    private const int OnRing = int.MinValue + 4;

    /// <summary>The rest of a send that began in the ring, by the kernel; or <see cref="OnRing"/>.</summary>
    private static nint KernelRest(int fd, ConnectionRecord* record, ref VectorCursor source, int flags, nint sent)
    {
        // Who reads no more takes no more: as in the kernel, a call that has sent something says so, and the next one fails.
        if (sent > 0 && Volatile.Read(ref Block.Outgoing(record)->ReaderClosed) != 0) return sent;
        if (Strictness.HasRefused(record)) return sent > 0 ? sent : -Linux.ENETUNREACH;
        // An error is the next call's, which has nothing else to say.
        if (sent > 0 && record->PendingError != 0) return sent;
        int entered = EnterKernel(fd, record, flags);
        if (entered == 0) return OnRing;
        if (entered < 0) return sent > 0 ? sent : entered;
        const int pieces = 1024;
        IoVector* vectors = stackalloc IoVector[pieces];
        MessageHeader rest = new() { Vectors = vectors, VectorCount = source.CopyTo(vectors, pieces, nuint.MaxValue) };
        nint more = LeaveKernel(fd, record, true, Kernel(fd, &rest, flags));
        return more < 0 ? (sent > 0 ? sent : more) : sent + more;
    }

    private static nint Kernel(int fd, MessageHeader* message, int flags) => Process.FromLibc(
        message->VectorCount == 1 && message->Name == null && message->Control == null
            ? Process.Libc->send(fd, message->Vectors->Base, message->Vectors->Length, flags)
            : Process.Libc->sendmsg(fd, message, flags));
}
