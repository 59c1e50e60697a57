using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// A queue pair: its work queues in this process's own memory, and what it shares with its peer (<see cref="QueuePairLayout"/>). <see cref="Requester"/> carries on the send queue,
/// <see cref="Responder"/> takes messages. Counters of work requests and messages never go back while it is connected.
/// </summary>
internal unsafe struct QueuePair
{
    public IbvQp Base;
    public uint Lock;
    public bool AllSignaled;

    public IbvQpCap Cap;
    public IbvQpAttr Attributes;

    // The send queue: completed | executed, not completed | not executed.
    public byte* SendQueue;
    public uint SendMask, SendBytes;
    public ulong SendHead, SendNext, SendTail;

    // The receive queue; of one that takes from a shared one, a place for the receive that is being filled.
    public byte* ReceiveQueue;
    public uint ReceiveMask, ReceiveBytes;
    public ulong ReceiveHead, ReceiveTail;

    // What is shared with the peer: the block that this side writes, and the one it reads.
    public byte* Shared;
    public QueuePairHeader* Out;
    public QueuePairHeader* In;
    public int Doorbell;

    // Requester: messages published, payload bytes written; of the message in work: bytes written.
    public ulong Published, DataTail, Pushed;

    /// <summary>
    /// Requests that a peer which has ended did not answer are completed with an error now. A device would first retry for a while, in
    /// which its program hears of all that was
    /// done before: here, when nothing else is left to tell.
    /// </summary>
    public bool GivesUp;

    public bool IsPushing;

    /// <summary>CLOCK_MONOTONIC in ns since when the oldest request gets no answer, 0 if it is not known.</summary>
    public ulong StalledSince;
    public ulong RevocationsSeen;
    public RemoteRegion* Regions;

    // Responder: messages taken, payload bytes taken; of the message in work: bytes taken.
    public ulong Taken, DataHead, TakenBytes;

    // Of a datagram queue pair, in place of what is shared with one peer.
    public InboxHeader* Inbox;
    public int InboxSocket;
    public ulong ArrivalsSeen;
    public DatagramPath* Incoming;
    public DatagramPath* Outgoing;

    /// <summary>Where it wanted to send last, and nobody was there.</summary>
    public DatagramPath Refused;

    // ibv_wr_start: requests behind SendTail that are not posted yet.
    public ulong Staged;
    public int StageError;
    public WorkRequest* Current;

    public QueuePair* NextSender;
    public QueuePair* NextReceiver;
    public QueuePair* NextOfAll;
    public QueuePair* NextOfShared;

    /// <summary>Events of it that were fetched and not acknowledged.</summary>
    public int Events;

    /// <summary>Where receives come from, if not from its own queue; null if they do.</summary>
    public readonly SharedReceiveQueue* SharedReceives => (SharedReceiveQueue*)Base.Srq;

    /// <summary>Whose keys name the memory of receives.</summary>
    public readonly ProtectionDomain* ReceiveDomain => Base.Srq == null ? Domain : ((ProtectionDomain*)SharedReceives->Base.Pd)->Own;

    public readonly ProtectionDomain* Domain => ((ProtectionDomain*)Base.Pd)->Own;

    /// <summary>Unreliable connection or datagram: nothing is answered, what cannot be taken is lost in silence (IBA 9.8).</summary>
    public readonly bool IsUnreliable => Base.Type != Ibv.QptRc;

    public readonly bool IsDatagram => Base.Type == Ibv.QptUd;

    public static WorkRequest* SendAt(QueuePair* pair, ulong number) => (WorkRequest*)(pair->SendQueue + ((number & pair->SendMask) * pair->SendBytes));

    public static ReceiveRequest* ReceiveAt(QueuePair* pair, ulong number) => (ReceiveRequest*)(pair->ReceiveQueue + ((number & pair->ReceiveMask) * pair->ReceiveBytes));

    public static QueuePairMessage* MessageAt(QueuePairHeader* block, ulong number) =>
        (QueuePairMessage*)((byte*)block + QueuePairLayout.MessagesOffset) + (number & (QueuePairLayout.Messages - 1));

    public static uint* ReceiveLengthAt(QueuePairHeader* block, ulong number, uint mask) => (uint*)((byte*)block + QueuePairLayout.ReceivesOffset) + (number & mask);

    public static byte* DataAt(QueuePairHeader* block, ulong position) => (byte*)block + QueuePairLayout.DataOffset + (position & (QueuePairLayout.DataBytes - 1));
}
