using System;
using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// A shared receive queue (IBA 10.2.9): receives for the messages of several queue pairs. One that a message needs is moved into the only
/// place of that queue pair's own receive queue;
/// from there on it is as any other receive. Order of locks: a queue pair's, then <see cref="Lock"/>.
/// </summary>
internal unsafe struct SharedReceiveQueue
{
    public const uint LimitMask = 2;

    /// <summary>What peers are told while there are receives: a message is answered when it is taken.</summary>
    public const ulong Many = ulong.MaxValue >> 1;

    public IbvSrq Base;
    public uint Lock;
    public IbvSrqAttr Attributes;
    public byte* Queue;
    public uint Mask, ReceiveBytes;
    public ulong Head, Tail;

    /// <summary>A message has found no receive, and waits for the next one that is posted.</summary>
    public bool IsStarved;

    /// <summary>Events of it that were fetched and not acknowledged.</summary>
    public int Events;

    /// <summary>Queue pairs that take from it; under the lock of all queue pairs.</summary>
    public QueuePair* Pairs;

    /// <summary>ibv_create_srq(3); null with errno. The capacities that it has are written back.</summary>
    public static SharedReceiveQueue* Create(ProtectionDomain* domain, IbvSrqInitAttr* wish)
    {
        IbvSrqAttr attributes = wish->Attributes;
        if (attributes.Wrs > QueuePairs.MostWorkRequests || attributes.Sges > QueuePairs.MostSges || attributes.Limit > attributes.Wrs)
            return (SharedReceiveQueue*)Refusal.With(Linux.EINVAL);
        attributes.Wrs = Math.Max(attributes.Wrs, 1);
        attributes.Sges = Math.Max(attributes.Sges, 1);
        attributes.Limit = 0;
        SharedReceiveQueue* queue = (SharedReceiveQueue*)Pages.Allocate((nuint)sizeof(SharedReceiveQueue));
        if (queue == null) return (SharedReceiveQueue*)Refusal.With(Linux.ENOMEM);
        queue->Mask = System.Numerics.BitOperations.RoundUpToPowerOf2(attributes.Wrs) - 1;
        queue->ReceiveBytes = ReceiveRequest.HeadBytes + (attributes.Sges * (uint)sizeof(IbvSge));
        queue->Queue = Pages.Allocate((queue->Mask + 1) * (nuint)queue->ReceiveBytes);
        if (queue->Queue == null) { Free(queue); return (SharedReceiveQueue*)Refusal.With(Linux.ENOMEM); }
        queue->Base.Context = domain->Base.Context;
        queue->Base.UserContext = wish->UserContext;
        queue->Base.Pd = domain;
        queue->Attributes = wish->Attributes = attributes;
        Interlocked.Increment(ref domain->Users);
        return queue;
    }

    /// <summary>0, or EBUSY while a queue pair takes from it. Waits until all events that were fetched are acknowledged.</summary>
    public static int Destroy(SharedReceiveQueue* queue)
    {
        if (queue->Pairs != null) return Numbers.EBUSY;
        Context.Forget(queue->Base.Context, queue, &queue->Events);
        Interlocked.Decrement(ref ((ProtectionDomain*)queue->Base.Pd)->Users);
        Free(queue);
        return 0;
    }

    /// <summary>ibv_modify_srq(3): arms the limit event. Its size cannot be changed (no IBV_DEVICE_SRQ_RESIZE).</summary>
    public static int Modify(SharedReceiveQueue* queue, IbvSrqAttr* wish, uint mask)
    {
        if ((mask & ~LimitMask) != 0) return Linux.EOPNOTSUPP;
        if (mask == 0) return 0;
        if (wish->Limit > queue->Attributes.Wrs) return Linux.EINVAL;
        if (!ThreadLock.Enter(&queue->Lock)) return Linux.EAGAIN;
        queue->Attributes.Limit = wish->Limit;
        bool isBelow = IsBelowLimit(queue);
        ThreadLock.Exit(&queue->Lock);
        if (isBelow) Context.Raise(queue->Base.Context, queue, Ibv.EventSrqLimit);
        return 0;
    }

    public static int Query(SharedReceiveQueue* queue, IbvSrqAttr* result)
    {
        *result = queue->Attributes;
        return 0;
    }

    /// <summary>ibv_post_srq_recv(3). 0, or an errno; <paramref name="bad"/> is then the first request that was not taken.</summary>
    public static int Post(SharedReceiveQueue* queue, IbvRecvWr* first, IbvRecvWr** bad)
    {
        if (!ThreadLock.Enter(&queue->Lock)) { *bad = first; return Linux.EAGAIN; }
        int error = 0;
        IbvRecvWr* request = first;
        for (; request != null; request = request->Next)
        {
            error = queue->Tail - queue->Head >= queue->Attributes.Wrs ? Linux.ENOMEM : ReceiveRequest.Fill(At(queue, queue->Tail), request, queue->Attributes.Sges);
            if (error != 0) break;
            queue->Tail++;
        }
        bool wasStarved = queue->IsStarved && queue->Head != queue->Tail;
        if (wasStarved) queue->IsStarved = false;
        ThreadLock.Exit(&queue->Lock);
        if (error != 0) *bad = request;
        // Nobody would be woken for a message that was there already.
        if (wasStarved) QueuePairs.Serve(queue);
        return error;
    }

    /// <summary>Moves the oldest receive into the queue pair's own queue, which is empty and locked. False if there is none.</summary>
    public static bool TryGive(SharedReceiveQueue* queue, QueuePair* pair)
    {
        if (!ThreadLock.Enter(&queue->Lock)) return false;
        bool has = queue->Head != queue->Tail, isBelow = false;
        if (has)
        {
            ReceiveRequest* receive = At(queue, queue->Head++);
            uint bytes = ReceiveRequest.HeadBytes + (receive->SgeCount * (uint)sizeof(IbvSge));
            new Span<byte>(receive, (int)bytes).CopyTo(new Span<byte>(QueuePair.ReceiveAt(pair, pair->ReceiveTail++), (int)bytes));
            isBelow = IsBelowLimit(queue);
        }
        else queue->IsStarved = true;
        ThreadLock.Exit(&queue->Lock);
        if (isBelow) Context.Raise(queue->Base.Context, queue, Ibv.EventSrqLimit);
        return has;
    }

    private static ReceiveRequest* At(SharedReceiveQueue* queue, ulong number) => (ReceiveRequest*)(queue->Queue + ((number & queue->Mask) * queue->ReceiveBytes));

    /// <summary>Once: the limit is told of, and has to be armed anew.</summary>
    private static bool IsBelowLimit(SharedReceiveQueue* queue)
    {
        if (queue->Tail - queue->Head >= queue->Attributes.Limit) return false;
        queue->Attributes.Limit = 0;
        return true;
    }

    private static void Free(SharedReceiveQueue* queue)
    {
        Pages.Free(queue->Queue, (queue->Mask + 1) * (nuint)queue->ReceiveBytes);
        Pages.Free(queue, (nuint)sizeof(SharedReceiveQueue));
    }
}
