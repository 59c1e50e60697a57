using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// ibv_wr_post(3): requests are written into the send queue piece by piece between ibv_wr_start and ibv_wr_complete, with the queue pair locked meanwhile, and posted together or not at
/// all.
/// </summary>
internal static unsafe class ExtendedPosting
{
    public static void Fill(IbvQp* shown)
    {
        shown->WrStart = (nint)(delegate*<QueuePair*, void>)&Start;
        shown->WrComplete = (nint)(delegate*<QueuePair*, int>)&Complete;
        shown->WrAbort = (nint)(delegate*<QueuePair*, void>)&Abort;
        shown->WrSend = (nint)(delegate*<QueuePair*, void>)&Send;
        shown->WrSendImm = (nint)(delegate*<QueuePair*, uint, void>)&SendImmediate;
        shown->WrSendInv = (nint)(delegate*<QueuePair*, uint, void>)&SendInvalidate;
        shown->WrRdmaWrite = (nint)(delegate*<QueuePair*, uint, ulong, void>)&Write;
        shown->WrRdmaWriteImm = (nint)(delegate*<QueuePair*, uint, ulong, uint, void>)&WriteImmediate;
        shown->WrRdmaRead = (nint)(delegate*<QueuePair*, uint, ulong, void>)&Read;
        shown->WrAtomicCmpSwp = (nint)(delegate*<QueuePair*, uint, ulong, ulong, ulong, void>)&CompareSwap;
        shown->WrAtomicFetchAdd = (nint)(delegate*<QueuePair*, uint, ulong, ulong, void>)&FetchAdd;
        shown->WrSetUdAddr = (nint)(delegate*<QueuePair*, AddressHandle*, uint, uint, void>)&SetDestination;
        shown->WrSetSge = (nint)(delegate*<QueuePair*, uint, ulong, uint, void>)&SetSge;
        shown->WrSetSgeList = (nint)(delegate*<QueuePair*, nuint, IbvSge*, void>)&SetSgeList;
        shown->WrSetInlineData = (nint)(delegate*<QueuePair*, byte*, nuint, void>)&SetInline;
        shown->WrSetInlineDataList = (nint)(delegate*<QueuePair*, nuint, IbvDataBuf*, void>)&SetInlineList;
    }

    private static void Start(QueuePair* pair)
    {
        _ = ThreadLock.Enter(&pair->Lock);
        pair->Staged = 0;
        pair->StageError = pair->Base.State is Ibv.Rts or Ibv.Sqd or Ibv.Err ? 0 : Linux.EINVAL;
        pair->Current = null;
    }

    private static int Complete(QueuePair* pair)
    {
        int error = pair->StageError;
        if (error == 0)
        {
            pair->SendTail += pair->Staged;
            _ = Requester.Run(pair);
        }
        Abort(pair);
        CompletionQueue.Posted(pair);
        return error;
    }

    private static void Abort(QueuePair* pair)
    {
        pair->Staged = 0;
        pair->Current = null;
        ThreadLock.Exit(&pair->Lock);
    }

    private static WorkRequest* Begin(QueuePair* pair, uint opcode)
    {
        if (!WorkRequest.IsAllowed(pair->Base.Type, opcode)) pair->StageError = Linux.EINVAL;
        WorkRequest* request = pair->StageError == 0 ? Posting.Place(pair, pair->Staged) : null;
        if (request == null && pair->StageError == 0) pair->StageError = Linux.ENOMEM;
        pair->Current = request;
        if (request == null) return null;
        pair->Staged++;
        request->WrId = pair->Base.WrId;
        request->Opcode = opcode;
        request->Flags = pair->Base.WrFlags & ~Ibv.SendInline;
        request->SgeCount = 0;
        request->Length = 0;
        // Number 0 is nobody's: a datagram whose destination is not set goes nowhere.
        request->RemoteAddress = 0;
        return request;
    }

    private static void Send(QueuePair* pair) => Begin(pair, Ibv.WrSend);

    private static void SendImmediate(QueuePair* pair, uint immediate)
    {
        WorkRequest* request = Begin(pair, Ibv.WrSendImm);
        if (request != null) request->Immediate = immediate;
    }

    private static void SendInvalidate(QueuePair* pair, uint key)
    {
        WorkRequest* request = Begin(pair, Ibv.WrSendInv);
        if (request != null) request->Immediate = key;
    }

    private static WorkRequest* BeginRemote(QueuePair* pair, uint opcode, uint key, ulong address)
    {
        WorkRequest* request = Begin(pair, opcode);
        if (request == null) return null;
        request->RemoteKey = key;
        request->RemoteAddress = address;
        return request;
    }

    private static void Write(QueuePair* pair, uint key, ulong address) => BeginRemote(pair, Ibv.WrWrite, key, address);

    private static void WriteImmediate(QueuePair* pair, uint key, ulong address, uint immediate)
    {
        WorkRequest* request = BeginRemote(pair, Ibv.WrWriteImm, key, address);
        if (request != null) request->Immediate = immediate;
    }

    private static void Read(QueuePair* pair, uint key, ulong address) => BeginRemote(pair, Ibv.WrRead, key, address);

    private static void CompareSwap(QueuePair* pair, uint key, ulong address, ulong compare, ulong swap)
    {
        WorkRequest* request = BeginRemote(pair, Ibv.WrCmpSwp, key, address);
        if (request == null) return;
        request->CompareAdd = compare;
        request->Swap = swap;
    }

    private static void FetchAdd(QueuePair* pair, uint key, ulong address, ulong add)
    {
        WorkRequest* request = BeginRemote(pair, Ibv.WrFetchAdd, key, address);
        if (request != null) request->CompareAdd = add;
    }

    private static void SetDestination(QueuePair* pair, AddressHandle* handle, uint number, uint key)
    {
        if (pair->Current != null && pair->IsDatagram) WorkRequest.SetDestination(pair->Current, pair, handle, number, key);
    }

    private static void SetSge(QueuePair* pair, uint key, ulong address, uint length)
    {
        IbvSge one = new() { Address = address, Length = length, LocalKey = key };
        SetSgeList(pair, 1, &one);
    }

    private static void SetSgeList(QueuePair* pair, nuint count, IbvSge* sges)
    {
        WorkRequest* request = pair->Current;
        if (request == null) return;
        Note(pair, WorkRequest.SetSges(request, sges, count, pair->Cap.SendSges));
    }

    private static void SetInline(QueuePair* pair, byte* data, nuint length)
    {
        IbvDataBuf one = new() { Address = data, Length = length };
        SetInlineList(pair, 1, &one);
    }

    private static void SetInlineList(QueuePair* pair, nuint count, IbvDataBuf* pieces)
    {
        WorkRequest* request = pair->Current;
        if (request == null) return;
        int error = WorkRequest.IsAnswered(request->Opcode) ? Linux.EINVAL : 0;
        request->Flags |= Ibv.SendInline;
        request->Length = 0;
        for (nuint i = 0; i < count && error == 0; i++) error = WorkRequest.AddInline(request, pieces[i].Address, pieces[i].Length, pair->Cap.InlineBytes);
        Note(pair, error);
    }

    /// <summary>An error is told by ibv_wr_complete, and nothing of the batch is posted.</summary>
    private static void Note(QueuePair* pair, int error)
    {
        if (error != 0) pair->StageError = error;
    }
}
