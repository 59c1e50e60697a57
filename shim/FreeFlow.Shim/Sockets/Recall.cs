using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Brings what is unread in a ring back into the kernel, for a reader that the ring cannot follow: another program after exec, another process. Follows
/// <c>shim/models/recall.pml</c>: the reader stops and asks; the writer takes the request up by a compare-and-swap, sends again by the kernel what is unread
/// in the ring, and goes Back. A request that nobody has taken up the reader may withdraw, by a compare-and-swap too, and read on.
/// </summary>
internal static unsafe class Recall
{
    private const uint None = (uint)RecallState.None, Asked = (uint)RecallState.Asked, TakenUp = (uint)RecallState.TakenUp;

    private const ulong StuckNanoseconds = 2_000_000_000;
    private const ulong SlowNanoseconds = 10_000_000_000;
    private const int PollMilliseconds = 10;

    /// <summary>How long a reader waits for a peer that may be busy with other things. One that sleeps in a call on the connection answers as soon as it has a processor.</summary>
    public const ulong PatienceNanoseconds = 1_000_000_000;

    private const ulong NeighbourPatienceNanoseconds = 250_000_000;

    /// <summary>Before another program gets the connection, which finds what is unread in a stand-in else: on one host there is no way that may be slow.</summary>
    public static ulong Patience(ConnectionRecord* record) => ReturnMark.IsMirrored(record) ? PatienceNanoseconds : NeighbourPatienceNanoseconds;

    /// <summary>Receiver: from now on this end does not read the ring any more. The peer answers inside its next call on the connection, or when its doorbell wakes it.</summary>
    public static void Ask(ConnectionRecord* record)
    {
        if (ReturnMark.IsMirrored(record)) { MirroredRecall.Ask(record); return; }
        if (!ThreadLock.Enter(&record->ReceiveLock)) return;
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ready && Volatile.Read(ref incoming->Handover) >= (uint)HandoverState.Ring) Handover.TakeUpRing(record, incoming);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring && Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring)
        {
            Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.WantsKernel);
            Interlocked.CompareExchange(ref incoming->ReaderWantsKernel, Asked, None);
            // A writer that has looked already, and publishes now, finds a reader to wake, and looks once more.
            Doorbell.ArmReader(incoming);
            Doorbell.RingAlways(record);
        }
        ThreadLock.Exit(&record->ReceiveLock);
    }

    /// <summary>
    /// Receiver, after <see cref="Ask"/>: waits until nothing unread is left in the ring; what the writer sends from then on goes by the kernel. False if the peer has
    /// ended its stream, or does not answer in time: the bytes stay in the ring, and this end reads it again.
    /// </summary>
    public static bool Await(ConnectionRecord* record, ulong deadline)
    {
        if (ReturnMark.IsMirrored(record)) return MirroredRecall.Await(record, deadline);
        RingBlockHeader* incoming = Block.Incoming(record);
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Ring) return true;
        while (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring && RingReader.Available(record, incoming) != 0)
        {
            AnswerHere(record);
            ulong now = Process.Now();
            bool ended = Volatile.Read(ref incoming->WriterClosed) != 0;
            if ((ended || now >= deadline) && Withdraw(record, incoming)) return false;
            // Taken up by a writer that died meanwhile: the kernel tells what became of the stream.
            if (now >= deadline && now - deadline > 2 * StuckNanoseconds) return true;
            if (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Ring) Process.Libc->poll(null, 0, 1);
        }
        if (!ThreadLock.Enter(&record->ReceiveLock)) return true;
        bool left = false;
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring)
        {
            if (Volatile.Read(ref incoming->Handover) == (uint)HandoverState.Back) left = Settle(record, incoming) && RingReader.Available(record, incoming) != 0;
            else if ((record->Flags & (uint)ConnectionFlags.WantsKernel) != 0)
            {
                // Nothing is left, and the writer finds the request before, or right after, whatever it writes next.
                Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.WantsKernel);
                Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
                Volatile.Write(ref record->State, (uint)ConnectionState.HandedBack);
            }
        }
        ThreadLock.Exit(&record->ReceiveLock);
        return !left;
    }

    /// <summary>
    /// Receiver, when the writer is Back after a request: true if it went by its own will and this end reads on in the ring, up to BackAt. Caller holds ReceiveLock.
    /// </summary>
    public static bool Settle(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.WantsKernel);
        return !Handover.TakeUpKernel(record, incoming);
    }

    /// <summary>Receiver: true if the peer will not answer any more, and what is unread in the ring must be read there after all.</summary>
    public static bool GiveUp(ConnectionRecord* record, RingBlockHeader* incoming) =>
        (Volatile.Read(ref incoming->WriterClosed) | Volatile.Read(ref record->KernelAttention)) != 0 && Withdraw(record, incoming);

    private static bool Withdraw(ConnectionRecord* record, RingBlockHeader* incoming)
    {
        if (Interlocked.CompareExchange(ref incoming->ReaderWantsKernel, None, Asked) == TakenUp) return false;
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
        if (back) Handover.SendBack(record, Reason.DescriptorPassed, fd);
        ThreadLock.Exit(&record->SendLock);
        return back;
    }

    /// <summary>As <see cref="Answer"/>, where no lock is held: epoll sets that wait for room hear from the kernel from now on.</summary>
    public static void AnswerAtOnce(ConnectionRecord* record, int fd = -1)
    {
        if (Answer(record, fd)) Registrations.Refresh(Connections.IndexOf(record) + 1, owed: true);
    }

    /// <summary>
    /// Sender, on its way back: if the reader has asked, sends what it has not read by the kernel, before anything else. False if there is no request.
    /// Caller holds SendLock.
    /// </summary>
    public static bool TakeUp(ConnectionRecord* record, RingBlockHeader* outgoing, int fd)
    {
        // After the end of stream nothing can be sent again.
        if (IsShutDown(record) || Interlocked.CompareExchange(ref outgoing->ReaderWantsKernel, TakenUp, Asked) != Asked) return false;
        if (fd < 0) fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
        bool whole = RingWriter.Free(record, outgoing) >= 0;
        ulong position = whole ? record->SendHeadSeen : record->SendTail;
        Volatile.Write(ref outgoing->BackAt, position);
        ulong start = Process.Now(), end = start + Stall.Allow(SlowNanoseconds), deadline = start + StuckNanoseconds;
        while (position < record->SendTail && whole)
        {
            byte* bytes = RingWriter.Unread(record, outgoing, position, out nuint length);
            nint sent = Process.FromLibc(Process.Libc->send(fd, bytes, length, Linux.MSG_NOSIGNAL | Linux.MSG_DONTWAIT));
            if (sent > 0)
            {
                position += (ulong)sent;
                Interlocked.Add(ref record->KernelSent, (ulong)sent);
                deadline = Process.Now() + StuckNanoseconds;
                continue;
            }
            PollDescriptor wait = new() { Descriptor = fd, Events = Linux.POLLOUT };
            whole = sent is -Linux.EAGAIN or -Linux.EINTR && Process.Now() is var now && now < deadline && now < end && Process.Libc->poll(&wait, 1, PollMilliseconds) >= 0;
        }
        Stall.Spent(start);
        // Bytes that neither road takes any more: the kernel tells both ends, rather than that some are missing.
        if (!whole) Process.Libc->shutdown(fd, Linux.SHUT_RDWR);
        return true;
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
