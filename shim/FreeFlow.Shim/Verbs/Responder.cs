using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Takes messages into posted receives and makes their completions. Every word of a message is copied, the copy checked, the copy used. Called with the queue pair's lock.
/// </summary>
internal static unsafe class Responder
{
    /// <summary>One look without the lock.</summary>
    public static bool HasWork(QueuePair* pair)
    {
        // Where datagrams come from is known only under the lock.
        if (pair->Inbox != null) return true;
        QueuePairHeader* block = pair->In;
        return block != null && Volatile.Read(ref QueuePair.MessageAt(block, pair->Taken)->Sequence) == pair->Taken + 1;
    }

    public static void Run(QueuePair* pair)
    {
        bool any = false;
        if (pair->Base.State is not (Ibv.Rtr or Ibv.Rts or Ibv.Sqd)) return;
        if (pair->Inbox != null) { DatagramReceiver.Run(pair); return; }
        if (pair->In == null) return;
        while (HasWork(pair) && (HasReceive(pair) ? Take(pair, ref any) : pair->IsUnreliable && Drop(pair, ref any))) { }
        if (any && pair->In != null) Doorbells.RingIfAwaited(pair->Doorbell, &pair->In->WriterWaiting);
    }

    /// <summary>True if there is a receive for the message at hand. The peer is told when a shared queue has none (RNR), and when it has one again.</summary>
    public static bool HasReceive(QueuePair* pair)
    {
        if (pair->ReceiveHead != pair->ReceiveTail) return true;
        if (pair->Base.Srq == null) return false;
        bool has = SharedReceiveQueue.TryGive(pair->SharedReceives, pair);
        if (pair->In == null) return has;
        ulong told = has ? SharedReceiveQueue.Many : pair->Taken;
        if (Volatile.Read(ref pair->In->Receives) != told) Volatile.Write(ref pair->In->Receives, told);
        return has;
    }

    /// <summary>Carries on the message at hand. True if it is through and the next one may follow.</summary>
    private static bool Take(QueuePair* pair, ref bool any)
    {
        QueuePairMessage* message = QueuePair.MessageAt(pair->In, pair->Taken);
        ReceiveRequest* receive = QueuePair.ReceiveAt(pair, pair->ReceiveHead);
        uint length = Volatile.Read(ref message->Length);
        QueuePairMessageKind kind = (QueuePairMessageKind)Volatile.Read(ref message->Kind);
        if (kind is < QueuePairMessageKind.Send or > QueuePairMessageKind.SendWithInvalidate) { any = true; Answer(pair, message, QueuePairAnswer.InvalidRequest); QueuePairErrors.Break(pair); return false; }
        ulong payload = kind == QueuePairMessageKind.WriteWithImmediate ? 0 : length;
        if (payload > receive->Length && pair->IsUnreliable) return Drop(pair, ref any);
        if (payload > receive->Length) return Refuse(pair, message, receive, Ibv.LocLenErr, QueuePairAnswer.InvalidRequest, ref any);
        if (pair->TakenBytes == 0 && !LocalMemory.IsAllowed(pair->ReceiveDomain, ReceiveRequest.Sges(receive), payload == 0 ? 0 : receive->SgeCount, writes: true))
            return Refuse(pair, message, receive, Ibv.LocProtErr, QueuePairAnswer.OperationError, ref any);
        bool fits = payload <= QueuePairLayout.InlineBytes
            ? payload == 0 || LocalMemory.Scatter(ReceiveRequest.Sges(receive), receive->SgeCount, 0, message->Inline, payload)
            : TakeData(pair, receive, payload, ref any, out payload);
        if (!fits) return Refuse(pair, message, receive, Ibv.LocProtErr, QueuePairAnswer.OperationError, ref any);
        if (payload > QueuePairLayout.InlineBytes && pair->TakenBytes < payload) return false;
        any = true;
        IbvWc completion = new()
        {
            WrId = receive->WrId, Status = Ibv.Success, Opcode = kind == QueuePairMessageKind.WriteWithImmediate ? Ibv.WcRecvWriteImm : Ibv.WcRecv,
            ByteLength = length, Immediate = message->Immediate, QpNumber = pair->Base.Number, SourceQp = pair->Attributes.DestinationQp,
            Flags = kind switch { QueuePairMessageKind.Send => 0, QueuePairMessageKind.SendWithInvalidate => Ibv.WcWithInv, _ => Ibv.WcWithImm },
        };
        bool solicited = message->Solicited != 0;
        Answer(pair, message, QueuePairAnswer.Success);
        pair->ReceiveHead++;
        CompletionQueue.Push((CompletionQueue*)pair->Base.ReceiveCq, completion, solicited);
        return true;
    }

    /// <summary>A message of an unreliable connection that has no receive, or too short a one. True once all of it is gone.</summary>
    private static bool Drop(QueuePair* pair, ref bool any)
    {
        QueuePairMessage* message = QueuePair.MessageAt(pair->In, pair->Taken);
        ulong length = Volatile.Read(ref message->Kind) == (ushort)QueuePairMessageKind.WriteWithImmediate ? 0 : Volatile.Read(ref message->Length);
        if (length > QueuePairLayout.InlineBytes)
        {
            ulong there = Volatile.Read(ref pair->In->DataTail) - pair->DataHead, step = length - pair->TakenBytes;
            if (there > QueuePairLayout.DataBytes || length < pair->TakenBytes) { QueuePairErrors.Break(pair); return false; }
            if (step > there) step = there;
            pair->DataHead += step;
            pair->TakenBytes += step;
            Volatile.Write(ref pair->In->DataHead, pair->DataHead);
            any = true;
            if (pair->TakenBytes < length) return false;
        }
        any = true;
        Answer(pair, message, QueuePairAnswer.Success);
        return true;
    }

    /// <summary>Takes what has come of a payload that lies in the data area.</summary>
    private static bool TakeData(QueuePair* pair, ReceiveRequest* receive, ulong length, ref bool any, out ulong wanted)
    {
        wanted = length;
        while (pair->TakenBytes < length)
        {
            ulong there = Volatile.Read(ref pair->In->DataTail) - pair->DataHead;
            if (there > QueuePairLayout.DataBytes) return false;
            if (there == 0) break;
            ulong step = QueuePairLayout.DataBytes - (pair->DataHead & (QueuePairLayout.DataBytes - 1));
            if (step > there) step = there;
            if (step > length - pair->TakenBytes) step = length - pair->TakenBytes;
            if (!LocalMemory.Scatter(ReceiveRequest.Sges(receive), receive->SgeCount, pair->TakenBytes, QueuePair.DataAt(pair->In, pair->DataHead), step)) return false;
            pair->DataHead += step;
            pair->TakenBytes += step;
            Volatile.Write(ref pair->In->DataHead, pair->DataHead);
            any = true;
        }
        return true;
    }

    private static void Answer(QueuePair* pair, QueuePairMessage* message, QueuePairAnswer answer)
    {
        if (answer != QueuePairAnswer.Success) Volatile.Write(ref message->Status, (uint)answer);
        pair->TakenBytes = 0;
        pair->Taken++;
        Volatile.Write(ref pair->In->Consumed, pair->Taken);
    }

    private static bool Refuse(QueuePair* pair, QueuePairMessage* message, ReceiveRequest* receive, uint status, QueuePairAnswer answer, ref bool any)
    {
        any = true;
        IbvWc completion = new() { WrId = receive->WrId, Status = status, Opcode = Ibv.WcRecv, QpNumber = pair->Base.Number, SourceQp = pair->Attributes.DestinationQp };
        Answer(pair, message, answer);
        pair->ReceiveHead++;
        CompletionQueue.Push((CompletionQueue*)pair->Base.ReceiveCq, completion, false);
        QueuePairErrors.Enter(pair);
        return false;
    }
}
