using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>All queue pairs of the process: how they come, change their state and go.</summary>
internal static unsafe class QueuePairs
{
    public const uint MostWorkRequests = 16384, MostSges = 32, MostInlineBytes = 512;

    private static uint _lock;
    private static QueuePair* _first;

    /// <summary>ibv_create_qp(3); null with errno. The capacities that it has are written back.</summary>
    public static QueuePair* Create(ProtectionDomain* domain, IbvQpInitAttr* wish)
    {
        IbvQpCap cap = wish->Cap;
        if (wish->SendCq == null || wish->ReceiveCq == null || cap.SendWrs > MostWorkRequests || cap.ReceiveWrs > MostWorkRequests
            || cap.SendSges > MostSges || cap.ReceiveSges > MostSges || cap.InlineBytes > MostInlineBytes) return (QueuePair*)Refusal.With(Linux.EINVAL);
        if (wish->Type is not (Ibv.QptRc or Ibv.QptUc or Ibv.QptUd)) return (QueuePair*)Refusal.With(Linux.EOPNOTSUPP);
        QueuePair* pair = (QueuePair*)Pages.Allocate((nuint)sizeof(QueuePair));
        if (pair == null) return (QueuePair*)Refusal.With(Linux.ENOMEM);
        pair->Doorbell = pair->InboxSocket = -1;
        pair->Base.Srq = wish->Srq;
        if (!AllocateQueues(pair, ref cap)) { Free(pair); return (QueuePair*)Refusal.With(Linux.ENOMEM); }
        int error = AskNumber(domain, wish->Type, out uint number);
        if (error != 0) { Free(pair); return (QueuePair*)Refusal.With(error); }
        pair->Base.Context = domain->Base.Context;
        pair->Base.UserContext = wish->UserContext;
        pair->Base.Pd = domain;
        pair->Base.SendCq = wish->SendCq;
        pair->Base.ReceiveCq = wish->ReceiveCq;
        pair->Base.Handle = pair->Base.Number = number;
        pair->Base.Type = wish->Type;
        pair->AllSignaled = wish->AllSignaled != 0;
        pair->Cap = wish->Cap = cap;
        Interlocked.Increment(ref domain->Users);
        LockAll(pair);
        pair->NextOfAll = _first;
        _first = pair;
        CompletionQueue* sender = (CompletionQueue*)pair->Base.SendCq, receiver = (CompletionQueue*)pair->Base.ReceiveCq;
        pair->NextSender = sender->Senders;
        sender->Senders = pair;
        pair->NextReceiver = receiver->Receivers;
        receiver->Receivers = pair;
        sender->Users++;
        receiver->Users++;
        if (wish->Srq != null)
        {
            pair->NextOfShared = pair->SharedReceives->Pairs;
            pair->SharedReceives->Pairs = pair;
        }
        UnlockAll(pair);
        return pair;
    }

    public static int Destroy(QueuePair* pair)
    {
        Leave(pair, isDestroyed: true);
        LockAll(pair);
        if (_first == pair) _first = pair->NextOfAll;
        else for (QueuePair* at = _first; at != null; at = at->NextOfAll) if (at->NextOfAll == pair) at->NextOfAll = pair->NextOfAll;
        CompletionQueue* sender = (CompletionQueue*)pair->Base.SendCq, receiver = (CompletionQueue*)pair->Base.ReceiveCq;
        if (sender->Senders == pair) sender->Senders = pair->NextSender;
        else for (QueuePair* at = sender->Senders; at != null; at = at->NextSender) if (at->NextSender == pair) at->NextSender = pair->NextSender;
        if (receiver->Receivers == pair) receiver->Receivers = pair->NextReceiver;
        else for (QueuePair* at = receiver->Receivers; at != null; at = at->NextReceiver) if (at->NextReceiver == pair) at->NextReceiver = pair->NextReceiver;
        sender->Users--;
        receiver->Users--;
        for (QueuePair** at = pair->Base.Srq == null ? null : &pair->SharedReceives->Pairs; at != null && *at != null; at = &(*at)->NextOfShared)
            if (*at == pair) { *at = pair->NextOfShared; break; }
        UnlockAll(pair);
        Context.Forget(pair->Base.Context, pair, &pair->Events);
        Interlocked.Decrement(ref ((ProtectionDomain*)pair->Base.Pd)->Users);
        Free(pair);
        return 0;
    }

    /// <summary>ibv_modify_qp(3). 0, or an errno with the queue pair as it was.</summary>
    public static int Modify(QueuePair* pair, IbvQpAttr* wish, uint mask)
    {
        uint from = pair->Base.State, to = (mask & Ibv.MaskState) != 0 ? wish->State : from;
        if ((mask & Ibv.MaskCurrentState) != 0 && wish->CurrentState != from) return Linux.EINVAL;
        if (!QueuePairTransitions.IsAllowed(pair->Base.Type, from, to, mask) || !AreValid(wish, mask)) return Linux.EINVAL;
        if (to == Ibv.Reset) { Reset(pair); return 0; }
        if (from == Ibv.Init && to == Ibv.Rtr)
        {
            int error = pair->IsDatagram ? DatagramPaths.Listen(pair) : QueuePairConnection.Connect(pair, wish, (mask & Ibv.MaskAccess) != 0 ? wish->Access : pair->Attributes.Access);
            if (error != 0) return error;
        }
        if (!ThreadLock.Enter(&pair->Lock)) return Linux.EAGAIN;
        Take(pair, wish, mask);
        if (to == Ibv.Err) QueuePairErrors.Enter(pair);
        else pair->Base.State = to;
        if (from == Ibv.Init && to == Ibv.Rtr) QueuePairConnection.Announce(pair);
        ThreadLock.Exit(&pair->Lock);
        return 0;
    }

    /// <summary>A region of this domain, which peers may have been granted, is withdrawn: they ask the router anew before they use any.</summary>
    public static void Revoke(ProtectionDomain* domain)
    {
        if (!ThreadLock.Enter(LockWord())) return;
        for (QueuePair* pair = _first; pair != null; pair = pair->NextOfAll)
            if (pair->Domain == domain && pair->Out != null) Interlocked.Increment(ref pair->Out->Revocations);
        ThreadLock.Exit(LockWord());
    }

    /// <summary>A region of this domain is another one now: what was posted for it is refused, and the peers are told.</summary>
    public static void Recheck(ProtectionDomain* domain)
    {
        if (!ThreadLock.Enter(LockWord())) return;
        for (QueuePair* pair = _first; pair != null; pair = pair->NextOfAll)
        {
            if (pair->ReceiveDomain != domain || !ThreadLock.Enter(&pair->Lock)) continue;
            Posting.TellReceives(pair);
            ThreadLock.Exit(&pair->Lock);
        }
        ThreadLock.Exit(LockWord());
    }

    /// <summary>A shared receive queue has receives again: messages that have waited for one are taken.</summary>
    public static void Serve(SharedReceiveQueue* queue)
    {
        if (!ThreadLock.Enter(LockWord())) return;
        for (QueuePair* pair = queue->Pairs; pair != null; pair = pair->NextOfShared)
        {
            if (!Responder.HasWork(pair) || !ThreadLock.Enter(&pair->Lock)) continue;
            Responder.Run(pair);
            ThreadLock.Exit(&pair->Lock);
        }
        ThreadLock.Exit(LockWord());
    }

    /// <summary>After a fork, in the child: queue pairs are the parent's.</summary>
    public static void ForgetAfterFork()
    {
        _first = null;
        _lock = 0;
    }

    private static void Reset(QueuePair* pair)
    {
        Leave(pair, isDestroyed: false);
        if (!ThreadLock.Enter(&pair->Lock)) return;
        pair->SendHead = pair->SendNext = pair->SendTail = pair->ReceiveHead = pair->ReceiveTail = 0;
        pair->IsPushing = false;
        pair->Pushed = pair->Published = pair->DataTail = pair->Taken = pair->DataHead = pair->TakenBytes = pair->StalledSince = 0;
        pair->Attributes = default;
        pair->Base.State = Ibv.Reset;
        CompletionQueue.Drop((CompletionQueue*)pair->Base.SendCq, pair->Base.Number);
        CompletionQueue.Drop((CompletionQueue*)pair->Base.ReceiveCq, pair->Base.Number);
        ThreadLock.Exit(&pair->Lock);
    }

    /// <summary>Parts from the peer: nothing of what was shared is touched any more.</summary>
    private static void Leave(QueuePair* pair, bool isDestroyed)
    {
        LockAll(pair);
        QueuePairErrors.TellEnd(pair);
        byte* shared = pair->Shared;
        bool wasJoined = shared != null || pair->Inbox != null;
        int doorbell = pair->Doorbell;
        RemoteAccess.Drop(pair);
        DatagramPaths.Free(pair);
        pair->Shared = null;
        pair->In = pair->Out = null;
        pair->Doorbell = -1;
        UnlockAll(pair);
        if (doorbell >= 0) QueuePairConnection.Unwatch(pair, doorbell);
        Control.OwnDescriptors.Close(doorbell);
        if (shared != null) Pages.Unmap(shared, (nuint)Contract.Layout.QueuePairLayout.TotalBytes);
        if (!wasJoined && !isDestroyed) return;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsLeave message = new() { Sequence = sequence, Number = pair->Base.Number, IsDestroyed = isDestroyed ? 1u : 0 };
        _ = VerbsSession.AskPlain(room[..message.Write(room)], sequence, null, 0, out _);
        VerbsSession.End();
    }

    private static bool AreValid(IbvQpAttr* wish, uint mask) =>
        ((mask & Ibv.MaskPort) == 0 || wish->Port == 1) && ((mask & Ibv.MaskPkey) == 0 || wish->PkeyIndex == 0)
        && ((mask & Ibv.MaskMtu) == 0 || wish->PathMtu is >= 1 and <= 5) && ((mask & Ibv.MaskMinRnr) == 0 || wish->MinRnrTimer <= 31)
        && ((mask & Ibv.MaskTimeout) == 0 || wish->Timeout <= 31) && ((mask & Ibv.MaskRetry) == 0 || wish->RetryCount <= 7)
        && ((mask & Ibv.MaskRnrRetry) == 0 || wish->RnrRetry <= 7)
        && ((mask & Ibv.MaskMaxRead) == 0 || wish->MaxReadAtomic <= Device.MostReads) && ((mask & Ibv.MaskMaxDestRead) == 0 || wish->MaxDestinationReadAtomic <= Device.MostReads);

    private static void Take(QueuePair* pair, IbvQpAttr* wish, uint mask)
    {
        IbvQpAttr* held = &pair->Attributes;
        if ((mask & Ibv.MaskAccess) != 0) held->Access = wish->Access;
        if ((mask & Ibv.MaskPkey) != 0) held->PkeyIndex = wish->PkeyIndex;
        if ((mask & Ibv.MaskPort) != 0) held->Port = wish->Port;
        if ((mask & Ibv.MaskQkey) != 0) held->Qkey = wish->Qkey;
        if ((mask & Ibv.MaskAv) != 0) held->Address = wish->Address;
        if ((mask & Ibv.MaskMtu) != 0) held->PathMtu = wish->PathMtu;
        if ((mask & Ibv.MaskTimeout) != 0) held->Timeout = wish->Timeout;
        if ((mask & Ibv.MaskRetry) != 0) held->RetryCount = wish->RetryCount;
        if ((mask & Ibv.MaskRnrRetry) != 0) held->RnrRetry = wish->RnrRetry;
        if ((mask & Ibv.MaskRqPsn) != 0) held->RqPsn = wish->RqPsn;
        if ((mask & Ibv.MaskSqPsn) != 0) held->SqPsn = wish->SqPsn;
        if ((mask & Ibv.MaskMaxRead) != 0) held->MaxReadAtomic = wish->MaxReadAtomic;
        if ((mask & Ibv.MaskMaxDestRead) != 0) held->MaxDestinationReadAtomic = wish->MaxDestinationReadAtomic;
        if ((mask & Ibv.MaskMinRnr) != 0) held->MinRnrTimer = wish->MinRnrTimer;
        if ((mask & Ibv.MaskDestQp) != 0) held->DestinationQp = wish->DestinationQp;
    }

    private static bool AllocateQueues(QueuePair* pair, ref IbvQpCap cap)
    {
        if (cap.SendSges == 0) cap.SendSges = 1;
        if (cap.ReceiveSges == 0) cap.ReceiveSges = 1;
        uint payload = Math.Max(cap.SendSges * (uint)sizeof(IbvSge), cap.InlineBytes);
        pair->SendBytes = (WorkRequest.HeadBytes + payload + 15) & ~15u;
        if (pair->Base.Srq != null) cap.ReceiveWrs = cap.ReceiveSges = 0;
        pair->ReceiveBytes = pair->Base.Srq != null ? pair->SharedReceives->ReceiveBytes : ReceiveRequest.HeadBytes + (cap.ReceiveSges * (uint)sizeof(IbvSge));
        pair->SendMask = System.Numerics.BitOperations.RoundUpToPowerOf2(Math.Max(cap.SendWrs, 1)) - 1;
        pair->ReceiveMask = System.Numerics.BitOperations.RoundUpToPowerOf2(Math.Max(cap.ReceiveWrs, 1)) - 1;
        pair->SendQueue = Pages.Allocate((pair->SendMask + 1) * (nuint)pair->SendBytes);
        pair->ReceiveQueue = Pages.Allocate((pair->ReceiveMask + 1) * (nuint)pair->ReceiveBytes);
        return pair->SendQueue != null && pair->ReceiveQueue != null;
    }

    private static int AskNumber(ProtectionDomain* domain, uint type, out uint number)
    {
        number = 0;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsCreateQueuePair request = new() { Sequence = sequence, Domain = domain->Number, Kind = type };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, null, 0, out ulong value);
        VerbsSession.End();
        number = (uint)value & VerbsProtocol.MaximumQueuePairNumber;
        return error;
    }

    private static void Free(QueuePair* pair)
    {
        Pages.Free(pair->SendQueue, (pair->SendMask + 1) * (nuint)pair->SendBytes);
        Pages.Free(pair->ReceiveQueue, (pair->ReceiveMask + 1) * (nuint)pair->ReceiveBytes);
        Pages.Free(pair, (nuint)sizeof(QueuePair));
    }

    /// <summary>Everything through which somebody may come by the queue pair: the list of all, its queues' lists, and itself. Two queues in the order of their addresses.</summary>
    public static void LockAll(QueuePair* pair)
    {
        ThreadLock.Enter(LockWord());
        ThreadLock.Enter(&Lower(pair)->PollLock);
        if (Upper(pair) != Lower(pair)) ThreadLock.Enter(&Upper(pair)->PollLock);
        ThreadLock.Enter(&pair->Lock);
    }

    public static void UnlockAll(QueuePair* pair)
    {
        ThreadLock.Exit(&pair->Lock);
        if (Upper(pair) != Lower(pair)) ThreadLock.Exit(&Upper(pair)->PollLock);
        ThreadLock.Exit(&Lower(pair)->PollLock);
        ThreadLock.Exit(LockWord());
    }

    private static CompletionQueue* Lower(QueuePair* pair) => (CompletionQueue*)(pair->Base.SendCq < pair->Base.ReceiveCq ? pair->Base.SendCq : pair->Base.ReceiveCq);

    private static CompletionQueue* Upper(QueuePair* pair) => (CompletionQueue*)(pair->Base.SendCq < pair->Base.ReceiveCq ? pair->Base.ReceiveCq : pair->Base.SendCq);

    private static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);
}
