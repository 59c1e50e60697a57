using System;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Carries on the send queue of a datagram queue pair: a message is written whole, and is complete then, whatever becomes of it (IBA
/// 9.8.4). One that finds no room waits for a receiver
/// that takes messages, and is lost if that takes none. Called with the queue pair's lock.
/// </summary>
internal static unsafe class DatagramSender
{
    /// <summary>
    /// How long a sender waits for a receiver that takes nothing; once, until it takes something again. Long enough for one that a busy machine does not run: perftest counts every
    /// message, and waits for those that are lost.
    /// </summary>
    private const ulong PatienceNanoseconds = 5_000_000_000;

    /// <summary>True if the oldest request waits.</summary>
    public static bool Run(QueuePair* pair)
    {
        while (pair->SendHead != pair->SendTail)
        {
            WorkRequest* request = QueuePair.SendAt(pair, pair->SendHead);
            if (!TrySend(pair, request, out uint status)) return true;
            pair->SendNext = pair->SendHead + 1;
            Requester.Finish(pair, request, status);
            if (pair->Base.State == Ibv.Err) return false;
        }
        return false;
    }

    /// <summary>False if it waits for room.</summary>
    private static bool TrySend(QueuePair* pair, WorkRequest* request, out uint status)
    {
        status = Ibv.Success;
        if (request->Length > QueuePairLayout.DatagramBytes) { status = Ibv.LocLenErr; return true; }
        if (!LocalMemory.IsAllowed(pair->Domain, WorkRequest.Sges(request), request->IsInline ? 0 : request->SgeCount, writes: false)) { status = Ibv.LocProtErr; return true; }
        DatagramPath* path = DatagramPaths.Find(pair, request);
        if (path == null) return true;
        if (!HasRoom(path, request->Length)) return !Waits(path);
        path->StalledSince = 0;
        if (!Write(path, request)) status = Ibv.LocProtErr;
        return true;
    }

    private static bool HasRoom(DatagramPath* path, ulong length)
    {
        ulong messages = path->Count - Volatile.Read(ref path->Block->Consumed), bytes = path->Bytes - Volatile.Read(ref path->Block->DataHead);
        // What a receiver says that cannot be is as if it took nothing.
        return messages < QueuePairLayout.Messages && bytes <= QueuePairLayout.DataBytes && (length <= QueuePairLayout.InlineBytes || QueuePairLayout.DataBytes - bytes >= length);
    }

    private static bool Waits(DatagramPath* path)
    {
        ulong consumed = Volatile.Read(ref path->Block->Consumed), now = Process.Now();
        if (path->StalledSince == 0 || consumed != path->StalledAt)
        {
            path->StalledSince = now;
            path->StalledAt = consumed;
        }
        return now - path->StalledSince < PatienceNanoseconds;
    }

    /// <summary>False if the program's memory is not there any more.</summary>
    private static bool Write(DatagramPath* path, WorkRequest* request)
    {
        QueuePairMessage* message = QueuePair.MessageAt(path->Block, path->Count);
        uint length = (uint)request->Length;
        if (length > QueuePairLayout.InlineBytes)
        {
            ulong first = Math.Min(length, QueuePairLayout.DataBytes - (path->Bytes & (QueuePairLayout.DataBytes - 1)));
            if (!LocalMemory.Gather(request, 0, QueuePair.DataAt(path->Block, path->Bytes), first)
                || !LocalMemory.Gather(request, first, QueuePair.DataAt(path->Block, path->Bytes + first), length - first)) return false;
            path->Bytes += length;
            Volatile.Write(ref path->Block->DataTail, path->Bytes);
        }
        else if (length != 0 && !LocalMemory.Gather(request, 0, message->Inline, length)) return false;
        message->Length = length;
        message->Kind = (ushort)(request->Opcode == Ibv.WrSendImm ? QueuePairMessageKind.SendWithImmediate : QueuePairMessageKind.Send);
        message->Solicited = (ushort)((request->Flags & Ibv.SendSolicited) != 0 ? 1 : 0);
        message->Immediate = request->Immediate;
        message->Qkey = request->Qkey;
        message->Flow = request->Flow;
        path->Count++;
        path->Block->MessagesSent = path->Count;
        path->Block->MessageBytes += length;
        Volatile.Write(ref message->Sequence, path->Count);
        Doorbells.RingIfAwaited(path->Doorbell, &path->Block->ReaderWaiting);
        return true;
    }
}
