using System;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Takes datagrams into posted receives, behind the header of where they come from. A message that finds no receive stays where it is; one
/// with another Q_Key, or too long for its
/// receive, is lost in silence. A sender that writes what cannot be loses its path, and harms nobody else. Called with the queue pair's lock.
/// </summary>
internal static unsafe class DatagramReceiver
{
    public static void Run(QueuePair* pair)
    {
        DatagramPaths.Fetch(pair);
        CompletionChannel* channel = (CompletionChannel*)((CompletionQueue*)pair->Base.ReceiveCq)->Base.Channel;
        for (DatagramPath** at = &pair->Incoming; *at != null;)
        {
            DatagramPath* path = *at;
            // What came before the sender's end is there to see once that is.
            bool hasEnded = DatagramPath.IsClosed(path->Block);
            bool isSound = TakeAll(pair, path);
            if (pair->Base.State == Ibv.Err) return;
            if (isSound && (!hasEnded || HasMessage(path))) { at = &path->Next; continue; }
            *at = path->Next;
            DatagramPath.Close(path, path->Back);
            DatagramPath.Free(path, channel);
        }
    }

    private static bool HasMessage(DatagramPath* path) => Volatile.Read(ref QueuePair.MessageAt(path->Block, path->Count)->Sequence) == path->Count + 1;

    /// <summary>False if the sender has written what cannot be.</summary>
    private static bool TakeAll(QueuePair* pair, DatagramPath* path)
    {
        bool isSound = true;
        ulong before = path->Count;
        while (isSound && path->Count - before < QueuePairLayout.Messages && HasMessage(path) && Responder.HasReceive(pair)) isSound = Take(pair, path) && pair->Base.State != Ibv.Err;
        if (path->Count != before) Doorbells.RingIfAwaited(path->Doorbell, &path->Block->WriterWaiting);
        return isSound;
    }

    private static bool Take(QueuePair* pair, DatagramPath* path)
    {
        QueuePairMessage* message = QueuePair.MessageAt(path->Block, path->Count);
        uint length = Volatile.Read(ref message->Length);
        QueuePairMessageKind kind = (QueuePairMessageKind)Volatile.Read(ref message->Kind);
        bool isInline = length <= QueuePairLayout.InlineBytes;
        ulong there = isInline ? 0 : Volatile.Read(ref path->Block->DataTail) - path->Bytes;
        if (kind is not (QueuePairMessageKind.Send or QueuePairMessageKind.SendWithImmediate) || length > QueuePairLayout.DatagramBytes) return false;
        if (!isInline && (there < length || there > QueuePairLayout.DataBytes)) return false;
        ReceiveRequest* receive = QueuePair.ReceiveAt(pair, pair->ReceiveHead);
        if (Volatile.Read(ref message->Qkey) == pair->Attributes.Qkey && receive->Length >= (ulong)length + GlobalRouteHeader.Bytes) Deliver(pair, path, message, receive, kind, length);
        if (!isInline) path->Bytes += length;
        Volatile.Write(ref path->Block->DataHead, path->Bytes);
        Volatile.Write(ref path->Block->Consumed, ++path->Count);
        return true;
    }

    private static void Deliver(QueuePair* pair, DatagramPath* path, QueuePairMessage* message, ReceiveRequest* receive, QueuePairMessageKind kind, uint length)
    {
        bool hasImmediate = kind == QueuePairMessageKind.SendWithImmediate, fits = Scatter(pair, path, message, receive, length);
        IbvWc completion = new()
        {
            WrId = receive->WrId, Status = fits ? Ibv.Success : Ibv.LocProtErr, Opcode = Ibv.WcRecv, ByteLength = GlobalRouteHeader.Bytes + length,
            Immediate = hasImmediate ? message->Immediate : 0, QpNumber = pair->Base.Number, SourceQp = path->Number, Flags = Ibv.WcGrh | (hasImmediate ? Ibv.WcWithImm : 0),
        };
        pair->ReceiveHead++;
        CompletionQueue.Push((CompletionQueue*)pair->Base.ReceiveCq, completion, message->Solicited != 0);
        if (!fits) QueuePairErrors.Enter(pair);
    }

    private static bool Scatter(QueuePair* pair, DatagramPath* path, QueuePairMessage* message, ReceiveRequest* receive, uint length)
    {
        IbvSge* sges = ReceiveRequest.Sges(receive);
        uint count = receive->SgeCount;
        byte* header = stackalloc byte[GlobalRouteHeader.Bytes];
        GlobalRouteHeader.Write(header, message->Flow, length, path->From, path->To);
        if (!LocalMemory.IsAllowed(pair->ReceiveDomain, sges, count, writes: true) || !LocalMemory.Scatter(sges, count, 0, header, GlobalRouteHeader.Bytes)) return false;
        if (length <= QueuePairLayout.InlineBytes) return LocalMemory.Scatter(sges, count, GlobalRouteHeader.Bytes, message->Inline, length);
        ulong first = Math.Min(length, QueuePairLayout.DataBytes - (path->Bytes & (QueuePairLayout.DataBytes - 1)));
        return LocalMemory.Scatter(sges, count, GlobalRouteHeader.Bytes, QueuePair.DataAt(path->Block, path->Bytes), first)
            && LocalMemory.Scatter(sges, count, GlobalRouteHeader.Bytes + first, QueuePair.DataAt(path->Block, path->Bytes + first), length - first);
    }
}
