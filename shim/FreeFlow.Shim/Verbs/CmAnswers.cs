using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>What the connection manager's device writes into the program's memory: structs of rdma/rdma_user_cm.h, rdma/ib_user_verbs.h and rdma/ib_user_sa.h, at their offsets.</summary>
internal static unsafe class CmAnswers
{
    /// <summary>RDMA_UDP_QKEY.</summary>
    public const uint DatagramQueueKey = 0x01234567;

    private const int RouteBytes = 208, RouteBytesAtLeast = 200, PathBytes = 64, AttributeBytes = 144, EventBytes = 336, EventBytesAtLeast = 324;
    private const int Mtu4096 = 5, MostHops = 64;

    // 4.096 µs × 2^18: about a second, as for an Ethernet link.
    private const byte AcknowledgeTimeout = 18;

    private const uint NoIndex = uint.MaxValue;
    private const ushort DefaultPkey = 0xffff;

    /// <summary>struct rdma_ucm_query_route_resp.</summary>
    public static int Route(uint channel, uint identifier, void* target, uint room)
    {
        if (room < RouteBytesAtLeast) return Numbers.ENOSPC;
        int error = CmRequests.Query(channel, identifier, out VerbsCmState state);
        if (error != 0) return error;
        byte* answer = stackalloc byte[RouteBytes];
        new Span<byte>(answer, RouteBytes).Clear();
        CmAddress own = CmAddress.Of(state.OwnHigh, state.OwnLow, state.OwnPort), peer = CmAddress.Of(state.PeerHigh, state.PeerLow, state.PeerPort);
        own.Write(answer + 136);
        peer.Write(answer + 164);
        *(uint*)(answer + 200) = NoIndex;
        if (!own.IsAny)
        {
            *(ulong*)answer = Device.Guid;
            answer[196] = 1;
            Path(answer + 8, own.Gid, peer.Gid);
            if (state.HasRoute != 0) *(uint*)(answer + 192) = 1;
        }
        return CallerMemory.TryWrite(target, answer, room < RouteBytes ? room : RouteBytes) ? 0 : Linux.EFAULT;
    }

    /// <summary>struct ib_uverbs_qp_attr: how a queue pair gets into a state, for this connection (rdma_init_qp_attr(3)).</summary>
    public static int QueuePairAttributes(uint channel, uint identifier, uint wanted, void* target, uint room)
    {
        if (room < AttributeBytes) return Numbers.ENOSPC;
        int error = CmRequests.Query(channel, identifier, out VerbsCmState state);
        if (error != 0) return error;
        CmAddress own = CmAddress.Of(state.OwnHigh, state.OwnLow, 0), peer = CmAddress.Of(state.PeerHigh, state.PeerLow, 0);
        if (own.IsAny) return Linux.EINVAL;
        byte* answer = stackalloc byte[AttributeBytes];
        new Span<byte>(answer, AttributeBytes).Clear();
        *(uint*)(answer + 4) = wanted;
        answer[133] = 1;
        bool isReliable = state.Kind == Ibv.QptRc;
        switch (wanted)
        {
            case Ibv.Init or Ibv.Rtr or Ibv.Rts when state.Kind == Ibv.QptUd:
                *(uint*)answer = Ibv.MaskState | Ibv.MaskPkey | Ibv.MaskPort | Ibv.MaskQkey;
                *(uint*)(answer + 20) = DatagramQueueKey;
                break;
            case Ibv.Init:
                *(uint*)answer = Ibv.MaskState | Ibv.MaskAccess | Ibv.MaskPkey | Ibv.MaskPort;
                // Before there is a peer nobody may do anything.
                if (state.Number == 0) break;
                *(uint*)(answer + 36) = VerbsProtocol.RemoteWrite | (CmParameters.Get(state.Parameters, CmParameters.ResponderResources) != 0 ? VerbsProtocol.RemoteRead | VerbsProtocol.RemoteAtomic : 0);
                break;
            case Ibv.Rtr when state.Number != 0:
                *(uint*)answer = Ibv.MaskState | Ibv.MaskAv | Ibv.MaskMtu | Ibv.MaskDestQp | Ibv.MaskRqPsn | (isReliable ? Ibv.MaskMaxDestRead | Ibv.MaskMinRnr : 0);
                *(uint*)(answer + 12) = Mtu4096;
                *(uint*)(answer + 32) = state.Number;
                AddressVector(answer + 40, own.Gid, peer.Gid);
                answer[131] = CmParameters.Get(state.Parameters, CmParameters.ResponderResources);
                break;
            case Ibv.Rts when state.Number != 0:
                *(uint*)answer = Ibv.MaskState | Ibv.MaskSqPsn | (isReliable ? Ibv.MaskRetry | Ibv.MaskRnrRetry | Ibv.MaskMaxRead | Ibv.MaskTimeout : 0);
                answer[130] = CmParameters.Get(state.Parameters, CmParameters.InitiatorDepth);
                byte timeout = CmParameters.Get(state.Parameters, CmParameters.AcknowledgeTimeout);
                answer[134] = timeout == 0 ? AcknowledgeTimeout : (byte)(timeout - 1);
                answer[135] = CmParameters.Get(state.Parameters, CmParameters.RetryCount);
                answer[136] = CmParameters.Get(state.Parameters, CmParameters.RnrRetryCount);
                break;
            default: return Linux.EINVAL;
        }
        return CallerMemory.TryWrite(target, answer, AttributeBytes) ? 0 : Linux.EFAULT;
    }

    /// <summary>struct rdma_ucm_event_resp.</summary>
    public static int Event(uint channel, in VerbsCmEvent told, void* target, uint room)
    {
        if (room < EventBytesAtLeast) return Numbers.ENOSPC;
        byte* answer = stackalloc byte[EventBytes];
        new Span<byte>(answer, EventBytes).Clear();
        *(ulong*)answer = told.User;
        *(uint*)(answer + 8) = told.Identifier;
        *(uint*)(answer + 12) = told.Event;
        *(uint*)(answer + 16) = told.Status;
        *(uint*)(answer + 20) = told.Number;
        *(uint*)(answer + 24) = told.QueueKey;
        if (told.Kind == Ibv.QptUd)
        {
            if (told.Event == (uint)CmEventKind.Established && CmRequests.Query(channel, told.Identifier, out VerbsCmState state) == 0)
                AddressVector(answer + 28, CmAddress.Of(state.OwnHigh, state.OwnLow, 0).Gid, CmAddress.Of(state.PeerHigh, state.PeerLow, 0).Gid);
            told.PrivateData.CopyTo(new Span<byte>(answer + 60, VerbsProtocol.MaximumPrivateBytes));
            answer[316] = (byte)told.PrivateData.Length;
        }
        else
        {
            told.PrivateData.CopyTo(new Span<byte>(answer + 28, VerbsProtocol.MaximumPrivateBytes));
            answer[284] = (byte)told.PrivateData.Length;
            answer[285] = CmParameters.Get(told.Parameters, CmParameters.SharedReceives);
            answer[286] = CmParameters.Get(told.Parameters, CmParameters.ResponderResources);
            answer[287] = CmParameters.Get(told.Parameters, CmParameters.InitiatorDepth);
            answer[288] = CmParameters.Get(told.Parameters, CmParameters.FlowControl);
            answer[289] = CmParameters.Get(told.Parameters, CmParameters.RetryCount);
            answer[290] = CmParameters.Get(told.Parameters, CmParameters.RnrRetryCount);
        }
        return CallerMemory.TryWrite(target, answer, room < EventBytes ? room : EventBytes) ? 0 : Linux.EFAULT;
    }

    /// <summary>struct ib_user_path_rec.</summary>
    private static void Path(byte* path, in IbvGid own, in IbvGid peer)
    {
        const byte exactly = 2, rate100G = 16;
        *(ulong*)path = peer.High;
        *(ulong*)(path + 8) = peer.Low;
        *(ulong*)(path + 16) = own.High;
        *(ulong*)(path + 24) = own.Low;
        *(uint*)(path + 44) = 1; // reversible
        *(uint*)(path + 48) = Mtu4096;
        *(ushort*)(path + 52) = DefaultPkey;
        path[54] = MostHops;
        path[58] = path[59] = path[61] = exactly; // MTU, rate, life time
        path[56] = 1;
        path[60] = rate100G;
        path[62] = AcknowledgeTimeout;
    }

    /// <summary>struct ib_uverbs_ah_attr.</summary>
    private static void AddressVector(byte* vector, in IbvGid own, in IbvGid peer)
    {
        *(ulong*)vector = peer.High;
        *(ulong*)(vector + 8) = peer.Low;
        vector[20] = (byte)Math.Max(Gids.IndexOf(own), 0);
        vector[21] = MostHops;
        vector[29] = 1; // global
        vector[30] = 1; // port
    }
}
