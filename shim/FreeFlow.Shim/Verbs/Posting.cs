using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>ibv_post_send(3) and ibv_post_recv(3): work requests go into the queues, and as far as they can be done at once, they are.</summary>
internal static unsafe class Posting
{
    /// <summary>0, or an errno; <paramref name="bad"/> is then the first request that was not taken.</summary>
    public static int Send(QueuePair* pair, IbvSendWr* first, IbvSendWr** bad)
    {
        if (!ThreadLock.Enter(&pair->Lock)) { *bad = first; return Linux.EAGAIN; }
        int error = pair->Base.State is Ibv.Rts or Ibv.Sqd or Ibv.Err ? 0 : Linux.EINVAL;
        IbvSendWr* request = first;
        for (; request != null && error == 0; request = request->Next)
        {
            error = Add(pair, request);
            if (error != 0) break;
            pair->SendTail++;
        }
        if (error != 0) *bad = request;
        _ = Requester.Run(pair);
        ThreadLock.Exit(&pair->Lock);
        CompletionQueue.Posted(pair);
        return error;
    }

    /// <summary>Likewise.</summary>
    public static int Receive(QueuePair* pair, IbvRecvWr* first, IbvRecvWr** bad)
    {
        if (!ThreadLock.Enter(&pair->Lock)) { *bad = first; return Linux.EAGAIN; }
        int error = pair->Base.State == Ibv.Reset || pair->Base.Srq != null ? Linux.EINVAL : 0;
        ulong before = pair->ReceiveTail;
        IbvRecvWr* request = first;
        for (; request != null && error == 0; request = request->Next)
        {
            error = Add(pair, request);
            if (error != 0) break;
        }
        if (error != 0) *bad = request;
        if (pair->Base.State == Ibv.Err) QueuePairErrors.FlushReceives(pair);
        else if (before != pair->ReceiveTail && pair->Base.State != Ibv.Init)
        {
            if (pair->In != null)
            {
                Volatile.Write(ref pair->In->Receives, pair->ReceiveTail);
                Doorbells.RingIfAwaited(pair->Doorbell, &pair->In->WriterWaiting);
            }
            // Nobody would be woken for a message that was there already.
            if (before == pair->ReceiveHead && Responder.HasWork(pair)) Responder.Run(pair);
        }
        ThreadLock.Exit(&pair->Lock);
        return error;
    }

    /// <summary>A free place of the send queue behind those that are posted or staged; null if it is full.</summary>
    public static WorkRequest* Place(QueuePair* pair, ulong staged)
    {
        ulong next = pair->SendTail + staged;
        return next - pair->SendHead < pair->Cap.SendWrs ? QueuePair.SendAt(pair, next) : null;
    }

    /// <summary>Says how long the posted receives are; with the queue pair's lock.</summary>
    public static void TellReceives(QueuePair* pair)
    {
        for (ulong i = pair->ReceiveHead; pair->In != null && pair->Base.Srq == null && i != pair->ReceiveTail; i++) TellReceive(pair, i);
    }

    /// <summary>Where a key will not do, the peer has its error at once, and this side when it takes the message.</summary>
    private static void TellReceive(QueuePair* pair, ulong number)
    {
        ReceiveRequest* receive = QueuePair.ReceiveAt(pair, number);
        bool allowed = LocalMemory.IsAllowed(pair->Domain, ReceiveRequest.Sges(receive), receive->SgeCount, writes: true);
        Volatile.Write(ref *QueuePair.ReceiveLengthAt(pair->In, number, pair->ReceiveMask), allowed ? receive->Length : QueuePairLayout.RefusedLength);
    }

    private static int Add(QueuePair* pair, IbvSendWr* wish)
    {
        WorkRequest* request = Place(pair, 0);
        if (request == null) return Linux.ENOMEM;
        bool isInline = (wish->Flags & Ibv.SendInline) != 0;
        if (wish->Opcode > Ibv.WrFetchAdd && wish->Opcode != Ibv.WrSendInv) return Linux.EOPNOTSUPP;
        if (wish->SgeCount < 0 || !WorkRequest.IsAllowed(pair->Base.Type, wish->Opcode) || (isInline && WorkRequest.IsAnswered(wish->Opcode))) return Linux.EINVAL;
        bool isAtomic = wish->Opcode is Ibv.WrCmpSwp or Ibv.WrFetchAdd;
        request->WrId = wish->WrId;
        request->Opcode = wish->Opcode;
        request->Flags = wish->Flags;
        request->Immediate = wish->Immediate;
        if (pair->IsDatagram)
        {
            if (wish->AddressHandle == null) return Linux.EINVAL;
            WorkRequest.SetDestination(request, pair, (AddressHandle*)wish->AddressHandle, wish->RemoteQp, wish->RemoteQkey);
        }
        else
        {
            request->RemoteAddress = wish->RemoteAddress;
            request->RemoteKey = isAtomic ? wish->AtomicKey : wish->RemoteKey;
            request->CompareAdd = wish->CompareAdd;
            request->Swap = wish->Swap;
        }
        if (!isInline) return WorkRequest.SetSges(request, wish->Sges, (nuint)wish->SgeCount, pair->Cap.SendSges);
        request->SgeCount = 0;
        request->Length = 0;
        int error = 0;
        for (int i = 0; i < wish->SgeCount && error == 0; i++) error = WorkRequest.AddInline(request, (void*)wish->Sges[i].Address, wish->Sges[i].Length, pair->Cap.InlineBytes);
        return error;
    }

    private static int Add(QueuePair* pair, IbvRecvWr* wish)
    {
        if (pair->ReceiveTail - pair->ReceiveHead >= pair->Cap.ReceiveWrs) return Linux.ENOMEM;
        ReceiveRequest* receive = QueuePair.ReceiveAt(pair, pair->ReceiveTail);
        int error = ReceiveRequest.Fill(receive, wish, pair->Cap.ReceiveSges);
        if (error != 0) return error;
        if (pair->In != null) TellReceive(pair, pair->ReceiveTail);
        pair->ReceiveTail++;
        return 0;
    }
}
