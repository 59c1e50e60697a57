using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>Completions of send requests, and the error state: everything that is posted is flushed, in order (IBA 10.3.1). Called with the queue pair's lock.</summary>
internal static unsafe class QueuePairErrors
{
    public static void CompleteSend(QueuePair* pair, WorkRequest* request, uint status)
    {
        IbvWc completion = new()
        {
            WrId = request->WrId, Status = status, ByteLength = (uint)request->Length, QpNumber = pair->Base.Number,
            Opcode = request->Opcode switch
            {
                Ibv.WrWrite or Ibv.WrWriteImm => Ibv.WcWrite,
                Ibv.WrRead => Ibv.WcRead,
                Ibv.WrCmpSwp => Ibv.WcCompSwap,
                Ibv.WrFetchAdd => Ibv.WcFetchAdd,
                _ => Ibv.WcSend,
            },
        };
        CompletionQueue.Push((CompletionQueue*)pair->Base.SendCq, completion, false);
    }

    /// <summary>The queue pair goes to the error state, and its peer hears nothing from it any more.</summary>
    public static void Enter(QueuePair* pair)
    {
        if (pair->Base.State != Ibv.Err)
        {
            pair->Base.State = Ibv.Err;
            TellEnd(pair);
            // It takes no more receives from there (IBA 11.6.3.3).
            if (pair->Base.Srq != null) Context.Raise(pair->Base.Context, pair, Ibv.EventQpLastWqe);
        }
        FlushSends(pair);
        FlushReceives(pair);
    }

    /// <summary>The peer has done what it may not: the program is told that its queue pair is broken (IBV_EVENT_QP_FATAL).</summary>
    public static void Break(QueuePair* pair)
    {
        Enter(pair);
        Context.Raise(pair->Base.Context, pair, Ibv.EventQpFatal);
    }

    /// <summary>What this side has taken and posted stands; from here on it does nothing.</summary>
    public static void TellEnd(QueuePair* pair)
    {
        if (pair->IsDatagram) DatagramPaths.TellEnd(pair);
        if (pair->Out == null) return;
        Volatile.Write(ref pair->Out->State, (uint)QueuePairState.Ended);
        Doorbells.RingIfAwaited(pair->Doorbell, &pair->Out->ReaderWaiting);
        Doorbells.RingIfAwaited(pair->Doorbell, &pair->In->WriterWaiting);
    }

    public static void FlushSends(QueuePair* pair)
    {
        while (pair->SendHead != pair->SendTail)
        {
            WorkRequest* request = QueuePair.SendAt(pair, pair->SendHead++);
            CompleteSend(pair, request, Ibv.FlushErr);
        }
        pair->SendNext = pair->SendTail;
        pair->IsPushing = false;
    }

    public static void FlushReceives(QueuePair* pair)
    {
        while (pair->ReceiveHead != pair->ReceiveTail)
        {
            ReceiveRequest* receive = QueuePair.ReceiveAt(pair, pair->ReceiveHead++);
            IbvWc completion = new() { WrId = receive->WrId, Status = Ibv.FlushErr, Opcode = Ibv.WcRecv, QpNumber = pair->Base.Number };
            CompletionQueue.Push((CompletionQueue*)pair->Base.ReceiveCq, completion, false);
        }
    }
}
