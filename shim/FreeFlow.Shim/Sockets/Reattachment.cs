using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A connection whose mirrored ring was given up with its way (docs/fabric.md, <c>shim/models/reattach.pml</c>). Once both directions are in the kernel it is detached:
/// kernel calls are counted as before its first ring, and it is offered again. The dead ring stays mapped until another one takes its place (<see cref="Rejoining"/>).
/// </summary>
internal static unsafe class Reattachment
{
    private const uint FirstPause = 250, LongestPause = 30_000;   // milliseconds
    private const ulong NanosecondsPerMillisecond = 1_000_000;

    /// <summary>A ring that has lived so many pauses was no flash: the next pause is the first one's again.</summary>
    private const ulong PausesLived = 4;

    /// <summary>Kernel messages for each look at a doorbell that nobody sleeps on, and for each look for a mark that nobody reads.</summary>
    private const uint LookEvery = 16;

    /// <summary>What ends, or is told once by the kernel, needs no other ring.</summary>
    private const uint Barred = (uint)(ConnectionFlags.KernelOnly | ConnectionFlags.PeerFinished | ConnectionFlags.SendShutdown | ConnectionFlags.ReceiveShutdown | ConnectionFlags.ResetTold);

    private const uint Lost = (uint)(ConnectionFlags.Mirrored | ConnectionFlags.DoorbellGone);

    public static bool IsDetached(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.Detached) != 0;

    /// <summary>True from the moment this end knows that its mirrored ring goes nowhere any more, until it has another one.</summary>
    public static bool IsWayLost(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & Lost) == Lost;

    /// <summary>True while it is too early to offer a detached connection.</summary>
    public static bool MustWait(ConnectionRecord* record) => IsDetached(record) && Process.Now() < record->OfferAgainAt;

    public static bool IsBarred(ConnectionRecord* record) => (Volatile.Read(ref record->Flags) & Barred) != 0;

    /// <summary>After bytes of a connection with a mirrored ring went through the kernel: takes the steps that are due, and detaches it if that was the last one.</summary>
    public static void Consider(int fd, ConnectionRecord* record)
    {
        if (IsBarred(record) || record->Refused != 0) return;
        bool looks = ++record->Messages % LookEvery == 0;
        int errno = Process.Errno;
        if (IsDetached(record))
        {
            if (looks) Settle(fd, record);
            Process.Errno = errno;
            return;
        }
        if (looks && !IsWayLost(record)) Doorbell.LookForPeer(record);
        if (IsWayLost(record))
        {
            _ = SendReturn.Forgo(record, fd, lost: true);
            if (SendReturn.TryAdvance(record, fd))
            {
                // A program that only sends does not find what its peer's sender has left in the kernel.
                if (looks) _ = MirroredLook.Filter(fd, record, Linux.EPOLLIN);
                if (ThreadLock.Enter(&record->SendLock))
                {
                    if (ThreadLock.Enter(&record->ReceiveLock))
                    {
                        TryDetach(record);
                        ThreadLock.Exit(&record->ReceiveLock);
                    }
                    ThreadLock.Exit(&record->SendLock);
                }
            }
        }
        Process.Errno = errno;
    }

    /// <summary>Why a detached connection cannot be offered now.</summary>
    public static Reason Obstacle(int fd, ConnectionRecord* record)
    {
        if (IsBarred(record) || record->PendingError != 0) { Offering.KeepInKernel(record, Reason.PeerClosed); return Reason.PeerClosed; }
        Settle(fd, record);
        // A reader that is still Ready learns from the join whether a mark is to come.
        return Gate.Phase(&record->ReceiveGate) is DirectionPhase.Kernel or DirectionPhase.Ready ? Reason.None : Reason.WayLost;
    }

    /// <summary>The ring is lost, or the next one came at the wrong moment: it is asked for later, each time twice as late.</summary>
    public static void Postpone(ConnectionRecord* record)
    {
        record->Pause = record->Pause == 0 ? FirstPause : record->Pause < LongestPause / 2 ? record->Pause * 2 : LongestPause;
        record->Reason = (uint)Reason.WayLost;
        record->Messages = 0;
        record->OfferAgainAt = Process.Now() + (record->Pause * NanosecondsPerMillisecond);
        Volatile.Write(ref record->State, (uint)ConnectionState.Kernel);
    }

    /// <summary>For a detached connection: looks for the mark that may still come, and counts kernel calls again once the last of a return has been read.</summary>
    private static void Settle(int fd, ConnectionRecord* record)
    {
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Kernel) _ = MirroredLook.Filter(fd, record, Linux.EPOLLIN);
        if (Gate.Phase(&record->ReceiveGate) != DirectionPhase.Back || !ThreadLock.Enter(&record->ReceiveLock)) return;
        _ = Gate.TryReopen(&record->ReceiveGate);
        ThreadLock.Exit(&record->ReceiveLock);
    }

    /// <summary>Caller holds both directions' locks.</summary>
    private static void TryDetach(ConnectionRecord* record)
    {
        // Looked at again, under the locks: another thread may have taken a new ring meanwhile.
        if (IsDetached(record) || !IsWayLost(record) || record->PendingError != 0) return;
        RingBlockHeader* outgoing = Block.Outgoing(record);
        DirectionPhase sends = Gate.Phase(&record->SendGate), receives = Gate.Phase(&record->ReceiveGate);
        if (sends is not (DirectionPhase.Kernel or DirectionPhase.Back) || receives is not (DirectionPhase.Kernel or DirectionPhase.Ready or DirectionPhase.Back)) return;
        // The sender switched, and what lies in the ring is still to be read: nothing else has it.
        if (receives == DirectionPhase.Ready && Volatile.Read(ref Block.Incoming(record)->Handover) >= (uint)HandoverState.Ring) return;
        // A reader that became Ready at the last moment has to be told by a mark that nothing comes by this ring.
        uint before = Interlocked.CompareExchange(ref outgoing->Handover, (uint)HandoverState.Back, (uint)HandoverState.Kernel);
        if (sends == DirectionPhase.Kernel && before is (uint)HandoverState.Ready or (uint)HandoverState.Ring) return;
        // A thread that sleeps in a kernel call made since then would not hear of another ring: the next message tries again.
        if (receives == DirectionPhase.Back && !Gate.TryReopen(&record->ReceiveGate)) return;
        if (sends == DirectionPhase.Back && !Gate.TryReopen(&record->SendGate)) return;
        ulong now = Process.Now(), lived = now - record->JoinedAt;
        bool flash = record->Pause != 0 && lived < record->Pause * PausesLived * NanosecondsPerMillisecond;
        if (!flash) record->Pause = 0;
        GivePagesBack(record);
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Detached);
        Postpone(record);
    }

    /// <summary>The dead ring's, but for the two that hold the words.</summary>
    private static void GivePagesBack(ConnectionRecord* record)
    {
        const int removePages = 9;   // MADV_REMOVE, madvise(2)
        nuint rest = (nuint)(RingLayout.BlockBytes(record->Capacity) - RingLayout.PageBytes);
        Process.Libc->madvise((byte*)Block.Outgoing(record) + RingLayout.PageBytes, rest, removePages);
        Process.Libc->madvise((byte*)Block.Incoming(record) + RingLayout.PageBytes, rest, removePages);
    }
}
