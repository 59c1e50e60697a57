using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// A completion queue: a ring of struct ibv_wc in this process's own memory, into which only this process writes. Who polls it carries on what its queue pairs have to do.
/// Order of locks: <see cref="PollLock"/>, a queue pair's, <see cref="Lock"/>, the channel's.
/// </summary>
internal unsafe struct CompletionQueue
{
    public const int MostEntries = 1 << 22;

    /// <summary>Who polls so often in vain lets others run now and then: the peer may need this very processor.</summary>
    private const uint PollsAlone = 2048, YieldEvery = 64;

    public IbvCq Base;
    public uint Lock;

    /// <summary>Guards the lists of queue pairs.</summary>
    public uint PollLock;

    public IbvWc* Entries;
    public uint Mask, EmptyPolls;
    public ulong Head, Tail;

    /// <summary>ibv_req_notify_cq(3): 0 no, 1 at the next completion, 2 at the next solicited one or error.</summary>
    public uint Armed;
    public bool IsPending, HasOverrun;
    public int Events, Users, AsyncEvents;
    public uint Acknowledged;

    /// <summary>Of an extended one: 1 between ibv_start_poll and ibv_end_poll, and the completion at hand.</summary>
    public int IsRead;
    public IbvWc Current;

    public QueuePair* Senders;
    public QueuePair* Receivers;
    public CompletionQueue* NextOfChannel;
    public CompletionQueue* NextPending;

    public static CompletionQueue* Create(Context* context, int entries, void* userContext, CompletionChannel* channel)
    {
        if (entries < 1 || entries > MostEntries) return (CompletionQueue*)Refusal.With(Linux.EINVAL);
        uint size = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)entries);
        CompletionQueue* queue = (CompletionQueue*)Pages.Allocate((nuint)sizeof(CompletionQueue));
        IbvWc* memory = (IbvWc*)Pages.Allocate((nuint)(size * sizeof(IbvWc)));
        if (queue == null || memory == null)
        {
            Pages.Free(queue, (nuint)sizeof(CompletionQueue));
            Pages.Free(memory, (nuint)(size * sizeof(IbvWc)));
            return (CompletionQueue*)Refusal.With(Linux.ENOMEM);
        }
        queue->Base.Context = &context->Verbs.Context;
        queue->Base.Channel = channel;
        queue->Base.UserContext = userContext;
        queue->Base.Entries = (int)size;
        queue->Entries = memory;
        queue->Mask = size - 1;
        if (channel != null && ThreadLock.Enter(&channel->ListLock))
        {
            queue->NextOfChannel = channel->Queues;
            channel->Queues = queue;
            channel->Base.References++;
            ThreadLock.Exit(&channel->ListLock);
        }
        return queue;
    }

    public static int Destroy(CompletionQueue* queue)
    {
        if (queue->Users != 0) return Numbers.EBUSY;
        CompletionChannel* channel = (CompletionChannel*)queue->Base.Channel;
        if (channel != null)
        {
            if (ThreadLock.Enter(&channel->ListLock))
            {
                if (channel->Queues == queue) channel->Queues = queue->NextOfChannel;
                else for (CompletionQueue* at = channel->Queues; at != null; at = at->NextOfChannel) if (at->NextOfChannel == queue) at->NextOfChannel = queue->NextOfChannel;
                channel->Base.References--;
                ThreadLock.Exit(&channel->ListLock);
            }
            CompletionChannel.Forget(channel, queue);
            // As ibv_destroy_cq(3): waits until all events that were fetched are acknowledged.
            while (Volatile.Read(ref queue->Acknowledged) != (uint)Volatile.Read(ref queue->Events)) Process.Libc->sched_yield();
        }
        Context.Forget(queue->Base.Context, queue, &queue->AsyncEvents);
        Pages.Free(queue->Entries, (nuint)((queue->Mask + 1) * sizeof(IbvWc)));
        Pages.Free(queue, (nuint)sizeof(CompletionQueue));
        return 0;
    }

    /// <summary>ibv_resize_cq(3): 0, or an errno; EINVAL if more completions lie in it than would fit.</summary>
    public static int Resize(CompletionQueue* queue, int entries)
    {
        if (entries < 1 || entries > MostEntries) return Linux.EINVAL;
        uint size = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)entries);
        IbvWc* memory = (IbvWc*)Pages.Allocate((nuint)(size * sizeof(IbvWc)));
        if (memory == null) return Linux.ENOMEM;
        if (!ThreadLock.Enter(&queue->Lock)) { Pages.Free(memory, (nuint)(size * sizeof(IbvWc))); return Linux.EAGAIN; }
        IbvWc* unused = memory;
        uint unusedSize = size;
        bool fits = queue->Tail - queue->Head <= size;
        if (fits)
        {
            for (ulong i = queue->Head; i != queue->Tail; i++) memory[i & (size - 1)] = queue->Entries[i & queue->Mask];
            unused = queue->Entries;
            unusedSize = queue->Mask + 1;
            queue->Entries = memory;
            queue->Mask = size - 1;
            queue->Base.Entries = (int)size;
        }
        ThreadLock.Exit(&queue->Lock);
        Pages.Free(unused, (nuint)(unusedSize * sizeof(IbvWc)));
        return fits ? 0 : Linux.EINVAL;
    }

    /// <summary>Drops what a queue pair has left there that goes to RESET, as devices do.</summary>
    public static void Drop(CompletionQueue* queue, uint number)
    {
        if (!ThreadLock.Enter(&queue->Lock)) return;
        ulong kept = queue->Head;
        for (ulong i = queue->Head; i != queue->Tail; i++)
        {
            IbvWc completion = queue->Entries[i & queue->Mask];
            if (completion.QpNumber != number) queue->Entries[kept++ & queue->Mask] = completion;
        }
        queue->Tail = kept;
        ThreadLock.Exit(&queue->Lock);
    }

    /// <summary>Behind a queue pair's lock. An overrun loses the completion and ends the queue, as a device's does.</summary>
    public static void Push(CompletionQueue* queue, in IbvWc completion, bool isSolicited)
    {
        if (!ThreadLock.Enter(&queue->Lock)) return;
        bool fits = queue->Tail - queue->Head <= queue->Mask;
        if (fits)
        {
            queue->Entries[queue->Tail & queue->Mask] = completion;
            Volatile.Write(ref queue->Tail, queue->Tail + 1);
        }
        bool tells = queue->Armed == 1 || (queue->Armed == 2 && (isSolicited || completion.Status != Ibv.Success));
        if (tells)
        {
            queue->Armed = 0;
            CompletionChannel.Enqueue((CompletionChannel*)queue->Base.Channel, queue);
        }
        bool isFirst = !fits && !queue->HasOverrun;
        queue->HasOverrun |= !fits;
        ThreadLock.Exit(&queue->Lock);
        if (isFirst) Context.Raise(queue->Base.Context, queue, Ibv.EventCqErr);
    }

    /// <summary>ibv_poll_cq(3): how many completions were written to <paramref name="completions"/>.</summary>
    public static int Poll(CompletionQueue* queue, int most, IbvWc* completions)
    {
        if (Volatile.Read(ref queue->HasOverrun)) return -1;
        int count = Take(queue, most, completions);
        if (count == most) return count;
        _ = Progress(queue, mayGiveUp: count == 0);
        count += Take(queue, most - count, completions + count);
        if (count != 0) queue->EmptyPolls = 0;
        else if (++queue->EmptyPolls >= PollsAlone && queue->EmptyPolls % YieldEvery == 0) Process.Libc->sched_yield();
        return count;
    }

    /// <summary>Carries on what the queue's pairs have to do. True if one of them waits with a time limit.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="mayGiveUp">The caller has nothing to tell the program yet.</param>
    public static bool Progress(CompletionQueue* queue, bool mayGiveUp = true)
    {
        bool limited = false, forsaken = false;
        if (!ThreadLock.Enter(&queue->PollLock)) return false;
        for (QueuePair* pair = queue->Receivers; pair != null; pair = pair->NextReceiver)
        {
            if (!Responder.HasWork(pair) || !ThreadLock.Enter(&pair->Lock)) continue;
            Responder.Run(pair);
            ThreadLock.Exit(&pair->Lock);
        }
        for (QueuePair* pair = queue->Senders; pair != null; pair = pair->NextSender)
        {
            if (!Requester.HasWork(pair) || !ThreadLock.Enter(&pair->Lock)) continue;
            limited |= Requester.Run(pair);
            forsaken |= Requester.IsForsaken(pair);
            ThreadLock.Exit(&pair->Lock);
        }
        if (forsaken && mayGiveUp && Volatile.Read(ref queue->Tail) == Volatile.Read(ref queue->Head)) GiveUp(queue);
        ThreadLock.Exit(&queue->PollLock);
        return limited;
    }

    /// <summary>Nothing else is left to tell: requests end whose peers have.</summary>
    private static void GiveUp(CompletionQueue* queue)
    {
        for (QueuePair* pair = queue->Senders; pair != null; pair = pair->NextSender)
        {
            if (!Requester.IsForsaken(pair) || !ThreadLock.Enter(&pair->Lock)) continue;
            pair->GivesUp = true;
            _ = Requester.Run(pair);
            pair->GivesUp = false;
            ThreadLock.Exit(&pair->Lock);
        }
    }

    /// <summary>
    /// After a request was posted, without a lock: nobody rings any more for one whose peer has ended, and the program may be about to
    /// sleep.
    /// </summary>
    public static void Posted(QueuePair* pair)
    {
        CompletionQueue* queue = (CompletionQueue*)pair->Base.SendCq;
        if (Volatile.Read(ref queue->Armed) != 0 && Requester.IsForsaken(pair)) _ = Progress(queue);
    }

    /// <summary>ibv_req_notify_cq(3).</summary>
    public static int RequestNotification(CompletionQueue* queue, int solicitedOnly)
    {
        if (queue->Base.Channel == null) return 0;
        if (!ThreadLock.Enter(&queue->Lock)) return Linux.EAGAIN;
        uint wanted = solicitedOnly != 0 ? 2u : 1u;
        if (queue->Armed != 1) queue->Armed = wanted;
        ThreadLock.Exit(&queue->Lock);
        if (!ThreadLock.Enter(&queue->PollLock)) return 0;
        AwaitPeersLocked(queue);
        ThreadLock.Exit(&queue->PollLock);
        return 0;
    }

    /// <summary>Has the peers ring when there is something for the queue.</summary>
    public static void AwaitPeers(CompletionQueue* queue)
    {
        if (!ThreadLock.Enter(&queue->PollLock)) return;
        AwaitPeersLocked(queue);
        ThreadLock.Exit(&queue->PollLock);
    }

    private static void AwaitPeersLocked(CompletionQueue* queue)
    {
        for (QueuePair* pair = queue->Receivers; pair != null; pair = pair->NextReceiver) AwaitSender(pair);
        for (QueuePair* pair = queue->Senders; pair != null; pair = pair->NextSender) AwaitReceiver(pair);
        // What they publish is looked for behind this.
        Interlocked.MemoryBarrier();
    }

    private static void AwaitSender(QueuePair* pair)
    {
        if (pair->In != null) Volatile.Write(ref pair->In->ReaderWaiting, 1);
        else if (pair->Inbox != null) DatagramPaths.Await(pair);
    }

    private static void AwaitReceiver(QueuePair* pair)
    {
        if (pair->Out != null) Volatile.Write(ref pair->Out->WriterWaiting, 1);
        else if (pair->Inbox != null) DatagramPaths.Await(pair);
    }

    private static int Take(CompletionQueue* queue, int most, IbvWc* completions)
    {
        if (most <= 0 || Volatile.Read(ref queue->Tail) == Volatile.Read(ref queue->Head) || !ThreadLock.Enter(&queue->Lock)) return 0;
        int count = 0;
        for (; count < most && queue->Head != queue->Tail; count++) completions[count] = queue->Entries[queue->Head++ & queue->Mask];
        ThreadLock.Exit(&queue->Lock);
        return count;
    }
}
