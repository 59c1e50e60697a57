using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Reads, writes and atomic operations on a peer's region: by this processor on the peer's pages, which the router has granted for the key; by the router where a page holds other bytes
/// beside the region's, and the peer is another user's. Called with the queue pair's lock.
/// </summary>
internal static unsafe class RemoteAccess
{
    private const uint EdgeRead = 0, EdgeWrite = 1, EdgeCompareSwap = 2, EdgeFetchAdd = 3;

    /// <summary>Does the request; a completion status. <paramref name="waits"/>: not yet, the peer is not ready.</summary>
    public static uint Perform(QueuePair* pair, WorkRequest* request, out bool waits)
    {
        uint status = Try(pair, request, out waits);
        if (!pair->IsUnreliable || status == Ibv.LocProtErr) return status;
        waits = false;
        return Ibv.Success;
    }

    private static uint Try(QueuePair* pair, WorkRequest* request, out bool waits)
    {
        waits = false;
        if (Requester.HasEnded(pair)) { waits = !pair->GivesUp; return Ibv.RetryExcErr; }
        if (!Requester.IsReady(pair)) { waits = true; return 0; }
        bool isAtomic = request->Opcode is Ibv.WrCmpSwp or Ibv.WrFetchAdd, isRead = request->Opcode == Ibv.WrRead;
        IbvSge* sges = WorkRequest.Sges(request);
        uint count = request->IsInline ? 0 : request->SgeCount;
        if (!LocalMemory.IsAllowed(pair->Domain, sges, count, writes: isAtomic || isRead)) return Ibv.LocProtErr;
        if (request->Length == 0) return isAtomic ? Ibv.LocLenErr : Ibv.Success;
        RemoteRegion* region = Find(pair, request->RemoteKey, out int error);
        if (region == null)
        {
            waits = error == Linux.EAGAIN;
            return error == Numbers.EIO ? Ibv.RetryExcErr : Ibv.RemAccessErr;
        }
        uint needed = isAtomic ? VerbsProtocol.RemoteAtomic : isRead ? VerbsProtocol.RemoteRead : VerbsProtocol.RemoteWrite;
        ulong offset = request->RemoteAddress - region->Address;
        if ((region->Access & needed) == 0 || offset > region->Length || request->Length > region->Length - offset) return Ibv.RemAccessErr;
        uint status = isAtomic ? Atomic(pair, request, region, offset) : isRead ? Read(pair, request, region, offset) : Write(pair, request, region, offset);
        pair->Out->RemoteOperations++;
        if (status == Ibv.Success) pair->Out->RemoteBytes += request->Length;
        return status;
    }

    /// <summary>What the router has granted before is dropped when the peer has withdrawn anything.</summary>
    private static RemoteRegion* Find(QueuePair* pair, uint key, out int error)
    {
        ulong revocations = Volatile.Read(ref pair->In->Revocations);
        error = 0;
        if (revocations != pair->RevocationsSeen) { Drop(pair); pair->RevocationsSeen = revocations; }
        for (RemoteRegion* region = pair->Regions; region != null; region = region->Next) if (region->Key == key) return region;
        RemoteRegion* found = Resolve(pair, key, out error);
        if (found == null) return null;
        found->Next = pair->Regions;
        pair->Regions = found;
        return found;
    }

    public static void Drop(QueuePair* pair)
    {
        for (RemoteRegion* region = pair->Regions, next; region != null; region = next)
        {
            next = region->Next;
            RemoteRegion.Free(region);
        }
        pair->Regions = null;
    }

    private static RemoteRegion* Resolve(QueuePair* pair, uint key, out int error)
    {
        error = Numbers.EIO;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return null;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        int* fds = stackalloc int[VerbsSession.MostDescriptors];
        VerbsResolve request = new() { Sequence = sequence, Number = pair->Base.Number, Key = key };
        int length = VerbsSession.Ask(room[..request.Write(room)], null, 0, room, fds, out int count);
        RemoteRegion* region = null;
        if (length != 0 && VerbsGrant.TryRead(room[..length], out VerbsGrant grant) && grant.Sequence == sequence)
        {
            region = RemoteRegion.Map(grant, key, fds, count);
            error = region == null ? Linux.ENOMEM : 0;
        }
        else if (length != 0 && VerbsReply.TryRead(room[..length], out VerbsReply reply) && reply.Sequence == sequence) error = (int)reply.Status;
        else VerbsSession.Lose();
        VerbsSession.Close(fds, count);
        VerbsSession.End();
        return region;
    }

    private static uint Write(QueuePair* pair, WorkRequest* request, RemoteRegion* region, ulong offset)
    {
        if (offset >= region->From && offset + request->Length <= region->To)
            return LocalMemory.Gather(request, 0, region->Memory + offset, request->Length) ? Ibv.Success : Ibv.LocProtErr;
        ulong done = 0;
        byte* piece = stackalloc byte[VerbsProtocol.MaximumEdgeBytes];
        while (done < request->Length)
        {
            ulong step = Step(region, offset + done, request->Length - done, out bool isMapped);
            if (!LocalMemory.Gather(request, done, isMapped ? region->Memory + offset + done : piece, step)) return Ibv.LocProtErr;
            if (!isMapped && !Edge(pair, region, EdgeWrite, offset + done, step, 0, 0, piece, out _)) return Ibv.RemAccessErr;
            done += step;
        }
        return Ibv.Success;
    }

    private static uint Read(QueuePair* pair, WorkRequest* request, RemoteRegion* region, ulong offset)
    {
        IbvSge* sges = WorkRequest.Sges(request);
        ulong done = 0;
        byte* piece = stackalloc byte[VerbsProtocol.MaximumEdgeBytes];
        while (done < request->Length)
        {
            ulong step = Step(region, offset + done, request->Length - done, out bool isMapped);
            if (!isMapped && !Edge(pair, region, EdgeRead, offset + done, step, 0, 0, piece, out _)) return Ibv.RemAccessErr;
            if (!LocalMemory.Scatter(sges, request->SgeCount, done, isMapped ? region->Memory + offset + done : piece, step)) return Ibv.LocProtErr;
            done += step;
        }
        return Ibv.Success;
    }

    private static uint Atomic(QueuePair* pair, WorkRequest* request, RemoteRegion* region, ulong offset)
    {
        const ulong bytes = sizeof(ulong);
        if (request->Length != bytes) return Ibv.LocLenErr;
        if (((nuint)region->Memory + offset) % bytes != 0 || request->RemoteAddress % bytes != 0) return Ibv.RemInvReqErr;
        bool isAdd = request->Opcode == Ibv.WrFetchAdd;
        ulong before;
        if (offset >= region->From && offset + bytes <= region->To)
        {
            ref ulong word = ref *(ulong*)(region->Memory + offset);
            before = isAdd ? Interlocked.Add(ref word, request->CompareAdd) - request->CompareAdd : Interlocked.CompareExchange(ref word, request->Swap, request->CompareAdd);
        }
        else if (!Edge(pair, region, isAdd ? EdgeFetchAdd : EdgeCompareSwap, offset, bytes, request->CompareAdd, request->Swap, null, out before)) return Ibv.RemAccessErr;
        return LocalMemory.Scatter(WorkRequest.Sges(request), request->SgeCount, 0, (byte*)&before, bytes) ? Ibv.Success : Ibv.LocProtErr;
    }

    /// <summary>How many bytes from here on go one way: by mapped pages, or by one message to the router within one page.</summary>
    private static ulong Step(RemoteRegion* region, ulong offset, ulong left, out bool isMapped)
    {
        isMapped = offset >= region->From && offset < region->To;
        if (isMapped) return Math.Min(left, region->To - offset);
        ulong inPage = Pages.Bytes - (((nuint)region->Memory + offset) & (Pages.Bytes - 1));
        return Math.Min(Math.Min(left, inPage), VerbsProtocol.MaximumEdgeBytes);
    }

    private static bool Edge(QueuePair* pair, RemoteRegion* region, uint operation, ulong offset, ulong bytes, ulong first, ulong second, byte* data, out ulong before)
    {
        before = 0;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return false;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        int* fds = stackalloc int[VerbsSession.MostDescriptors];
        VerbsEdge request = new()
        {
            Sequence = sequence, Number = pair->Base.Number, Key = region->Key, Operation = operation, Address = region->Address + offset, Length = (uint)bytes,
            First = first, Second = second, Data = operation == EdgeWrite ? new ReadOnlySpan<byte>(data, (int)bytes) : default,
        };
        int length = VerbsSession.Ask(room[..request.Write(room)], null, 0, room, fds, out int count);
        VerbsSession.Close(fds, count);
        bool done = length != 0 && VerbsEdgeReply.TryRead(room[..length], out VerbsEdgeReply reply) && reply.Sequence == sequence && reply.Status == 0
            && TakeAnswer(reply, operation, (int)bytes, data, out before);
        VerbsSession.End();
        return done;
    }

    private static bool TakeAnswer(in VerbsEdgeReply reply, uint operation, int bytes, byte* data, out ulong before)
    {
        before = reply.Before;
        if (operation != EdgeRead) return true;
        if (reply.Data.Length != bytes) return false;
        reply.Data.CopyTo(new Span<byte>(data, bytes));
        return true;
    }
}
