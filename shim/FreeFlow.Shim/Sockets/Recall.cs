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
/// Brings what is unread in a ring back into the kernel, for a reader that the ring cannot follow: another program after exec, another process. Follows
/// <c>shim/models/localreturn.pml</c>: the reader stops and asks; the writer leaves the ring, and brings what is unread there into the kernel
/// (<see cref="SendReturn"/>); the router does it for one that does not come to it. A request that nobody has taken up may be withdrawn, and this end reads on.
/// </summary>
internal static unsafe class Recall
{
    private const uint None = (uint)RecallState.None, Asked = (uint)RecallState.Asked, TakenUp = (uint)RecallState.TakenUp, Unheard = (uint)RecallState.Unheard,
        UnheardAndAsked = (uint)RecallState.UnheardAndAsked;

    private const ulong SlowNanoseconds = 10_000_000_000;

    /// <summary>How long a reader waits for a peer that may be busy with other things. One that sleeps in a call on the connection answers as soon as it has a processor.</summary>
    public const ulong PatienceNanoseconds = 1_000_000_000;

    private const ulong NeighbourPatienceNanoseconds = 250_000_000;

    /// <summary>
    /// The connection is another program's, or another path's, from now on, which reads the kernel's stream and nothing else: a request that a busy peer has not answered in time
    /// stays.
    /// </summary>
    public static bool Persists(Reason reason) => reason is Reason.Exec or Reason.DescriptorPassed or Reason.AnotherRoad;

    /// <summary>Before another program gets the connection: on one host there is no way that may be slow.</summary>
    public static ulong Patience(ConnectionRecord* record) => ReturnMark.IsMirrored(record) ? PatienceNanoseconds : NeighbourPatienceNanoseconds;

    /// <summary>Receiver: from now on this end does not read the ring any more. The peer answers inside its next call on the connection, or when its doorbell wakes it.</summary>
    public static void Ask(ConnectionRecord* record)
    {
        if (ReturnMark.IsMirrored(record)) { MirroredRecall.Ask(record); return; }
        if (!ThreadLock.Enter(&record->ReceiveLock)) return;
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready && Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring) Handover.TakeUpRing(record, incoming);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring)
        {
            // A writer that is just ending its stream looks at this word, too.
            if (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.WantsKernel);
            if (Interlocked.CompareExchange(ref incoming->ReaderWantsKernel, Asked, None) == Unheard) Interlocked.CompareExchange(ref incoming->ReaderWantsKernel, UnheardAndAsked, Unheard);
            // A writer that has looked already, and publishes now, finds a reader to wake, and looks once more.
            Doorbell.ArmReader(incoming);
            Doorbell.RingAlways(record);
        }
        ThreadLock.Exit(&record->ReceiveLock);
    }

    /// <summary>
    /// Receiver, after <see cref="Ask"/>: waits until nothing unread is left in the ring and nothing that was read there comes once more; the rest of the stream is the
    /// kernel's. False if bytes stay in the ring, and this end reads them there: a peer that is dead cannot send them again, or does not answer in time.
    /// </summary>
    /// <param name="fd">A descriptor of it.</param>
    /// <param name="record">The connection.</param>
    /// <param name="deadline">Until when the peer, or the router for it, may answer.</param>
    /// <param name="persists">The request stays, if nobody answers in time: another program goes on with the kernel's stream, and hears of its bytes with the peer's next call.</param>
    public static bool Await(int fd, ConnectionRecord* record, ulong deadline, bool persists = false)
    {
        if (ReturnMark.IsMirrored(record)) return MirroredRecall.Await(record, deadline);
        RingBlockHeader* incoming = Block.Incoming(record);
        bool told = false;
        while (true)
        {
            if (!ThreadLock.Enter(&record->ReceiveLock)) return true;
            bool plain = IsPlain(fd, record, incoming, out bool left);
            ThreadLock.Exit(&record->ReceiveLock);
            if (plain) return true;
            if (left) return false;
            AnswerHere(record);
            if (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring)
            {
                ulong now = Process.Now();
                if (IsDead(fd, record, incoming)) { Withdraw(record, incoming); return false; }
                if (now >= deadline && persists && (!IsBegun(incoming) || now >= deadline + PatienceNanoseconds)) return true;
                if (now >= deadline && Withdraw(record, incoming)) return false;
                told = told || Session.TryRequestReturn(Connections.IndexOf(record), record->Generation, ReturnRequest.Incoming);
            }
            // A return that has begun comes to its end, or the kernel tells that it does not.
            else if (Process.Now() >= deadline + SlowNanoseconds) return true;
            Process.Libc->poll(null, 0, 1);
        }
    }

    /// <param name="fd">The connection's.</param>
    /// <param name="record">The connection. Caller holds ReceiveLock.</param>
    /// <param name="incoming">Its incoming block.</param>
    /// <param name="left">The writer has gone back by its own will, and left bytes in the ring.</param>
    private static bool IsPlain(int fd, ConnectionRecord* record, RingBlockHeader* incoming, out bool left)
    {
        left = false;
        while (true)
        {
            switch (Gate.Phase(&record->ReceiveGate))
            {
                case DirectionPhase.Ring when Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back:
                    left = Settle(record, incoming);
                    if (left) return false;
                    continue;

                case DirectionPhase.Ring:
                    if (RingReader.Available(record, incoming) != 0 || (record->Flags & (uint)ConnectionFlags.WantsKernel) == 0 || IsBegun(incoming)) return false;
                    // Nothing is left, and the writer finds the request before, or right after, whatever it writes next.
                    Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.WantsKernel);
                    Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
                    Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
                    return true;

                case DirectionPhase.Returning:
                    if (ReceiveReturn.Drop(fd, record) == -Linux.EAGAIN) return false;
                    Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
                    return true;

                default:
                    return true;
            }
        }
    }

    /// <summary>
    /// A return has begun that is not seen yet, and may not know how far this end has read: what it brings once more is to be dropped. One that begins later knows, as this end
    /// has said how far before it looks here.
    /// </summary>
    private static bool IsBegun(RingBlockHeader* incoming) => Volatile.Read(ref incoming->Returner) != (uint)ReturnerState.None;

    /// <summary>
    /// The peer was killed: what has not been brought into the kernel by now is in the ring only. Who ends in any other way has left the ring before its kernel ends the stream.
    /// </summary>
    private static bool IsDead(int fd, ConnectionRecord* record, RingBlockHeader* incoming)
    {
        Doorbell.LookForPeer(record);
        uint flags = Volatile.Read(ref record->Flags);
        // A relative of the peer may have its doorbell open. After the own shutdown(SHUT_RD) the kernel says the same of a peer that lives.
        PollDescriptor look = new() { Descriptor = fd, Events = Linux.POLLRDHUP };
        bool ended = (flags & (uint)ConnectionFlags.DoorbellGone) != 0
            || ((flags & (uint)ConnectionFlags.ReceiveShutdown) == 0 && Process.Libc->poll(&look, 1, 0) > 0 && look.Returned != 0);
        return ended && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring
            && Volatile.Read(ref incoming->Returner) is not ((uint)ReturnerState.Router or (uint)ReturnerState.Writer);
    }

    /// <summary>
    /// Receiver, when the writer is Back after a request: true if it went by its own will and this end reads on in the ring, up to BackAt. Caller holds ReceiveLock.
    /// </summary>
    public static bool Settle(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.WantsKernel);
        return ReceiveReturn.IsStopped(record, incoming) || !Handover.TakeUpKernel(record, incoming);
    }

    /// <summary>Receiver: true if the peer will not answer any more, and what is unread in the ring must be read there after all.</summary>
    public static bool GiveUp(int fd, ConnectionRecord* record, RingBlockHeader* incoming) =>
        ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) | Volatile.Read(ref record->KernelAttention)) != 0
        && IsDead(fd, record, incoming) && Withdraw(record, incoming);

    private static bool Withdraw(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (Interlocked.CompareExchange(ref incoming->ReaderWantsKernel, None, Asked) is TakenUp or Unheard or UnheardAndAsked) return false;
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.WantsKernel);
        return true;
    }

    /// <summary>Sender: answers the peer's request, if there is one; true if the direction went back. Called where a doorbell has woken this end.</summary>
    public static bool Answer(ConnectionRecord* record, int fd = -1)
    {
        if (record->RingAddress == 0) return false;
        if (ReturnMark.IsMirrored(record)) return SendReturn.Answer(record, fd) | ReceiveReturn.IsEndReleased(record);
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring || IsShutDown(record)) return false;
        if (Volatile.Read(ref Block.Outgoing(record)->ReaderWantsKernel) == None || !ThreadLock.Enter(&record->SendLock)) return false;
        bool back = Gate.Phase(&record->SendGate) == DirectionPhase.Ring && Volatile.Read(ref Block.Outgoing(record)->ReaderWantsKernel) != None;
        if (back) Handover.SendBack(record, Cause(Block.Outgoing(record)), fd);
        ThreadLock.Exit(&record->SendLock);
        return back;
    }

    /// <summary>Sender: why a reader, or the router, wants a shared ring's bytes by the kernel.</summary>
    public static Reason Cause(RingBlockHeader* outgoing) =>
        Volatile.Read(ref outgoing->ReaderWantsKernel) >= Unheard ? Reason.ReadinessOutOfSight : Reason.DescriptorPassed;

    /// <summary>
    /// Receiver: the router has had the writer leave a shared ring because one of the two programs does not hear of what happens there, and the kernel has all that is unread, and says
    /// so to whoever asks it: it is to be read there from now on, though the ring has it, too.
    /// </summary>
    public static bool IsUnheard(ConnectionRecord* record, RingBlockHeader* incoming) =>
        Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back && Volatile.Read(ref incoming->ReaderWantsKernel) >= Unheard
        && !ReturnMark.IsMirrored(record) && Volatile.Read(ref incoming->ReturnSent) >= Volatile.Read(ref incoming->ReturnEnd) - Volatile.Read(ref incoming->BackAt);

    /// <summary>As <see cref="Answer"/>, where no lock is held: epoll sets that wait for room hear from the kernel from now on.</summary>
    public static void AnswerAtOnce(ConnectionRecord* record, int fd = -1)
    {
        if (!Answer(record, fd)) return;
        Registrations.Refresh(Connections.IndexOf(record) + 1, owed: true);
        SendReturn.AskForHelp(record);
    }

    /// <summary>Both ends may be this process's own, and it is busy waiting: answers for the other one.</summary>
    private static void AnswerHere(ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            ConnectionRecord* other = Family.Records + i;
            int fd = Connections.Local[i].FirstDescriptor - 1;
            if (fd < 0 || other->RingAddress == 0 || other->Side == record->Side || other->Capacity != record->Capacity) continue;
            if (other->LocalPort != record->RemotePort || other->RemotePort != record->LocalPort) continue;
            RingBlockHeader* outgoing = Block.Outgoing(other);
            if (outgoing->ReaderWantsKernel != Asked || outgoing->SwitchAt != incoming->SwitchAt || outgoing->Tail != incoming->Tail || !Addresses.IsStill(fd, other)) continue;
            AnswerAtOnce(other, fd);
            return;
        }
    }

    private static bool IsShutDown(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0;
}
