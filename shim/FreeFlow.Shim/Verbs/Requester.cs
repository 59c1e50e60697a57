using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Carries on a send queue, in order (IBA 9.7, 9.9): messages go into the shared block and complete when the peer has a receive for them; reads, writes and atomic operations are done
/// at once, on the peer's pages, as soon as every message in front of them has a receive. Called with the queue pair's lock.
/// </summary>
internal static unsafe class Requester
{
    /// <summary>One look without the lock.</summary>
    public static bool HasWork(QueuePair* pair) => pair->SendHead != pair->SendTail;

    /// <summary>True if the oldest request waits, and not for ever.</summary>
    public static bool Run(QueuePair* pair)
    {
        if (pair->Base.State == Ibv.Err) { QueuePairErrors.FlushSends(pair); return false; }
        if (pair->Base.State is not (Ibv.Rts or Ibv.Sqd)) return false;
        if (pair->IsDatagram) return DatagramSender.Run(pair);
        if (pair->Out == null) return false;
        ulong before = pair->SendHead + pair->SendNext + pair->Pushed;
        bool goesOn = true;
        while (goesOn && pair->SendHead != pair->SendTail)
        {
            goesOn = Complete(pair);
            if (pair->Base.State == Ibv.Err) return false;
            while (pair->SendNext != pair->SendTail && Execute(pair)) goesOn = true;
            if (pair->Base.State == Ibv.Err) return false;
            if (pair->SendHead == pair->SendNext) goesOn = false;
        }
        if (pair->SendHead == pair->SendTail || pair->IsUnreliable || before != pair->SendHead + pair->SendNext + pair->Pushed) { pair->StalledSince = 0; return pair->SendHead != pair->SendTail; }
        return Deadlines.Check(pair);
    }

    /// <summary>Completes messages from the oldest on. True if there was one.</summary>
    private static bool Complete(QueuePair* pair)
    {
        bool any = false;
        while (pair->SendHead != pair->SendNext)
        {
            WorkRequest* request = QueuePair.SendAt(pair, pair->SendHead);
            bool peerHasEnded = HasEnded(pair);
            if (!TryGetAnswer(pair, request, out uint status))
            {
                if (!peerHasEnded) return any;
                // What came before its end is there to see now.
                if (!TryGetAnswer(pair, request, out status))
                {
                    if (!pair->GivesUp) return any;
                    status = Ibv.RetryExcErr;
                }
            }
            Finish(pair, request, status);
            any = true;
            if (pair->Base.State == Ibv.Err) return any;
        }
        return any;
    }

    /// <summary>True once the message has met a receive, or the peer has taken it.</summary>
    private static bool TryGetAnswer(QueuePair* pair, WorkRequest* request, out uint status)
    {
        ulong number = request->Message, consumed = Volatile.Read(ref pair->Out->Consumed);
        status = Ibv.Success;
        if (pair->IsUnreliable) return true;
        if (consumed > pair->Published) { status = Ibv.RemOpErr; return true; }
        if (consumed > number)
        {
            uint answer = Volatile.Read(ref QueuePair.MessageAt(pair->Out, number)->Status);
            status = answer == (uint)QueuePairAnswer.Success ? Ibv.Success : answer == (uint)QueuePairAnswer.InvalidRequest ? Ibv.RemInvReqErr : Ibv.RemOpErr;
            return true;
        }
        if (Volatile.Read(ref pair->Out->Receives) <= number || Volatile.Read(ref pair->Out->IsShared) != 0) return false;
        uint mask = Volatile.Read(ref pair->Out->ReceiveMask);
        if (mask >= QueuePairLayout.Receives) return false;
        uint room = Volatile.Read(ref *QueuePair.ReceiveLengthAt(pair->Out, number, mask));
        bool hasPayload = request->Opcode != Ibv.WrWriteImm && request->Length != 0;
        if (room == QueuePairLayout.RefusedLength) status = hasPayload ? Ibv.RemOpErr : Ibv.Success;
        else if (hasPayload && request->Length > room) status = Ibv.RemInvReqErr;
        return true;
    }

    /// <summary>Starts or carries on the next request. True if it is through.</summary>
    private static bool Execute(QueuePair* pair)
    {
        WorkRequest* request = QueuePair.SendAt(pair, pair->SendNext);
        if (!request->IsMessage)
        {
            if (pair->SendHead != pair->SendNext) return false;
            uint status = RemoteAccess.Perform(pair, request, out bool waits);
            if (waits) return false;
            pair->SendNext++;
            Finish(pair, request, status);
            return pair->Base.State != Ibv.Err;
        }
        if (!pair->IsPushing && !Begin(pair, request)) return false;
        if (!Push(pair, request)) return false;
        pair->IsPushing = false;
        pair->Pushed = 0;
        pair->SendNext++;
        return true;
    }

    /// <summary>Announces a message; for a write with immediate behind what it writes.</summary>
    private static bool Begin(QueuePair* pair, WorkRequest* request)
    {
        ulong consumed = Volatile.Read(ref pair->Out->Consumed);
        if (consumed > pair->Published) { QueuePairErrors.Break(pair); return false; }
        if (pair->Published - consumed >= QueuePairLayout.Messages) return pair->IsUnreliable && Lose(pair, request);
        if (request->Opcode == Ibv.WrWriteImm)
        {
            if (pair->SendHead != pair->SendNext) return false;
            uint status = RemoteAccess.Perform(pair, request, out bool waits);
            if (waits) return false;
            if (status != Ibv.Success || (pair->IsUnreliable && !IsReady(pair))) { pair->SendNext++; Finish(pair, request, status); return false; }
        }
        else if (!LocalMemory.IsAllowed(pair->Domain, WorkRequest.Sges(request), request->IsInline ? 0 : request->SgeCount, writes: false))
        {
            if (pair->SendHead != pair->SendNext) return false;
            pair->SendNext++;
            Finish(pair, request, Ibv.LocProtErr);
            return false;
        }
        request->Message = pair->Published;
        pair->IsPushing = true;
        pair->Pushed = 0;
        return true;
    }

    /// <summary>An unreliable connection waits for a slow peer that has receives, and for no other.</summary>
    private static bool Lose(QueuePair* pair, WorkRequest* request)
    {
        bool isSlow = Volatile.Read(ref pair->Out->Receives) > pair->Published && !HasEnded(pair);
        if (isSlow || pair->SendHead != pair->SendNext) return false;
        pair->SendNext++;
        Finish(pair, request, Ibv.Success);
        return false;
    }

    /// <summary>Writes payload as far as there is room, then publishes. True when all of it is there.</summary>
    private static bool Push(QueuePair* pair, WorkRequest* request)
    {
        QueuePairMessage* message = QueuePair.MessageAt(pair->Out, request->Message);
        ulong length = request->Opcode == Ibv.WrWriteImm ? 0 : request->Length;
        bool isInline = length <= QueuePairLayout.InlineBytes, isFirst = pair->Published == request->Message, moved = false;
        if (isInline)
        {
            if (length != 0 && !LocalMemory.Gather(request, 0, message->Inline, length)) return Fail(pair, request);
            pair->Pushed = length;
        }
        while (!isInline && pair->Pushed < length)
        {
            ulong room = QueuePairLayout.DataBytes - (pair->DataTail - Volatile.Read(ref pair->Out->DataHead));
            if (room == 0 || room > QueuePairLayout.DataBytes) break;
            ulong step = QueuePairLayout.DataBytes - (pair->DataTail & (QueuePairLayout.DataBytes - 1));
            if (step > room) step = room;
            if (step > length - pair->Pushed) step = length - pair->Pushed;
            if (!LocalMemory.Gather(request, pair->Pushed, QueuePair.DataAt(pair->Out, pair->DataTail), step)) return Fail(pair, request);
            pair->DataTail += step;
            pair->Pushed += step;
            moved = true;
        }
        if (moved) Volatile.Write(ref pair->Out->DataTail, pair->DataTail);
        if (isFirst) Publish(pair, request, message);
        if (isFirst || moved) Doorbells.RingIfAwaited(pair->Doorbell, &pair->Out->ReaderWaiting);
        return pair->Pushed == length;
    }

    private static void Publish(QueuePair* pair, WorkRequest* request, QueuePairMessage* message)
    {
        message->Length = (uint)request->Length;
        message->Kind = (ushort)(request->Opcode switch
        {
            Ibv.WrSend => QueuePairMessageKind.Send,
            Ibv.WrSendImm => QueuePairMessageKind.SendWithImmediate,
            Ibv.WrSendInv => QueuePairMessageKind.SendWithInvalidate,
            _ => QueuePairMessageKind.WriteWithImmediate,
        });
        message->Solicited = (ushort)((request->Flags & Ibv.SendSolicited) != 0 ? 1 : 0);
        message->Immediate = request->Immediate;
        message->Status = 0;
        pair->Published++;
        pair->Out->MessagesSent = pair->Published;
        if (request->Opcode != Ibv.WrWriteImm) pair->Out->MessageBytes += request->Length;
        Volatile.Write(ref message->Sequence, pair->Published);
    }

    /// <summary>The program's memory is not there any more: the message can never be whole.</summary>
    private static bool Fail(QueuePair* pair, WorkRequest* request)
    {
        pair->IsPushing = false;
        pair->SendNext++;
        // In order: what is in front of it is flushed by the error, which is all that can be said of it.
        while (pair->SendHead + 1 != pair->SendNext) Finish(pair, QueuePair.SendAt(pair, pair->SendHead), Ibv.FlushErr);
        Finish(pair, request, Ibv.LocProtErr);
        return false;
    }

    /// <summary>The oldest request is through.</summary>
    public static void Finish(QueuePair* pair, WorkRequest* request, uint status)
    {
        pair->SendHead++;
        if (status != Ibv.Success || pair->AllSignaled || (request->Flags & Ibv.SendSignaled) != 0) QueuePairErrors.CompleteSend(pair, request, status);
        if (status is not (Ibv.Success or Ibv.FlushErr)) QueuePairErrors.Enter(pair);
    }

    /// <summary>True if the peer answers nothing any more.</summary>
    public static bool HasEnded(QueuePair* pair) => Volatile.Read(ref pair->In->State) == (uint)QueuePairState.Ended || Volatile.Read(ref pair->In->Gone) != 0;

    /// <summary>True if a request waits for a peer that answers nothing any more.</summary>
    public static bool IsForsaken(QueuePair* pair) => HasWork(pair) && pair->In != null && HasEnded(pair);

    public static bool IsReady(QueuePair* pair) => Volatile.Read(ref pair->In->State) == (uint)QueuePairState.Ready;
}
