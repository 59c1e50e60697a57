using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>The calls that programs make through pointers in the context: infiniband/verbs.h has inline functions for them.</summary>
internal static unsafe class Calls
{
    private const int DeviceAttrExBytes = 400;

    // Offsets in struct ibv_device_attr_ex.
    private const int CapabilitiesEx = 280, PortsEx = 396;

    public static void Fill(Context* context)
    {
        IbvContext* shown = &context->Verbs.Context;
        shown->PollCq = (nint)(delegate*<CompletionQueue*, int, IbvWc*, int>)&CompletionQueue.Poll;
        shown->ReqNotifyCq = (nint)(delegate*<CompletionQueue*, int, int>)&CompletionQueue.RequestNotification;
        shown->PostSend = (nint)(delegate*<QueuePair*, IbvSendWr*, IbvSendWr**, int>)&Posting.Send;
        shown->PostRecv = (nint)(delegate*<QueuePair*, IbvRecvWr*, IbvRecvWr**, int>)&Posting.Receive;
        shown->AllocMw = (nint)(delegate*<void*, int, void*>)&AllocateWindow;
        shown->BindMw = (nint)(delegate*<void*, void*, void*, int>)&RefuseThree;
        shown->DeallocMw = (nint)(delegate*<void*, int>)&RefuseOne;
        shown->PostSrqRecv = (nint)(delegate*<SharedReceiveQueue*, IbvRecvWr*, IbvRecvWr**, int>)&SharedReceiveQueue.Post;
        context->Verbs.QueryPort = (nint)(delegate*<void*, byte, byte*, nuint, int>)&QueryPort;
        context->Verbs.QueryDeviceEx = (nint)(delegate*<void*, void*, byte*, nuint, int>)&QueryDevice;
        context->Verbs.AllocTd = (nint)(delegate*<void*, uint*, ThreadDomain*>)&ThreadDomain.Create;
        context->Verbs.DeallocTd = (nint)(delegate*<ThreadDomain*, int>)&ThreadDomain.Destroy;
        context->Verbs.AllocParentDomain = (nint)(delegate*<void*, IbvParentDomainInitAttr*, ProtectionDomain*>)&ProtectionDomain.CreateParent;
        context->Verbs.CreateCqEx = (nint)(delegate*<void*, IbvCqInitAttrEx*, CompletionQueue*>)&ExtendedPolling.Create;
        context->Verbs.CreateQpEx = (nint)(delegate*<void*, IbvQpInitAttr*, QueuePair*>)&CreateQueuePair;
        context->Verbs.CloseXrcd = (nint)(delegate*<void*, int>)&RefuseOne;
    }

    private static int QueryPort(void* context, byte port, byte* attributes, nuint bytes)
    {
        if (port != 1) return Linux.EINVAL;
        Device.QueryPort(attributes, bytes);
        return 0;
    }

    private static int QueryDevice(void* context, void* input, byte* attributes, nuint bytes)
    {
        if (bytes < (nuint)sizeof(IbvDeviceAttr)) return Linux.EINVAL;
        Device.Query((IbvDeviceAttr*)attributes);
        for (nuint i = (nuint)sizeof(IbvDeviceAttr); i < bytes && i < DeviceAttrExBytes; i++) attributes[i] = 0;
        if (bytes >= CapabilitiesEx + sizeof(ulong)) *(ulong*)(attributes + CapabilitiesEx) = ((IbvDeviceAttr*)attributes)->Capabilities;
        if (bytes >= PortsEx + sizeof(uint)) *(uint*)(attributes + PortsEx) = ((IbvDeviceAttr*)attributes)->Ports;
        return 0;
    }

    private static QueuePair* CreateQueuePair(void* context, IbvQpInitAttr* wish)
    {
        const uint known = IbvQpInitAttr.HasPd | IbvQpInitAttr.HasSendOps | IbvQpInitAttr.HasCreateFlags;
        // Write, write with immediate, send, with immediate, read, compare and swap, fetch and add, send with invalidate.
        const ulong sendOps = 0x7f | 0x200;
        if ((wish->Mask & ~known) != 0 || ((wish->Mask & IbvQpInitAttr.HasCreateFlags) != 0 && wish->CreateFlags != 0)
            || ((wish->Mask & IbvQpInitAttr.HasSendOps) != 0 && (wish->SendOps & ~sendOps) != 0))
            return (QueuePair*)Refusal.With();
        const ulong datagramOps = 0xc;
        if (wish->Type == Ibv.QptUd && (wish->Mask & IbvQpInitAttr.HasSendOps) != 0 && (wish->SendOps & ~datagramOps) != 0) return (QueuePair*)Refusal.With();
        if ((wish->Mask & IbvQpInitAttr.HasPd) == 0 || wish->Pd == null) return (QueuePair*)Refusal.With(Linux.EINVAL);
        QueuePair* pair = QueuePairs.Create((ProtectionDomain*)wish->Pd, wish);
        if (pair != null && (wish->Mask & IbvQpInitAttr.HasSendOps) != 0) ExtendedPosting.Fill(&pair->Base);
        return pair;
    }

    private static void* AllocateWindow(void* domain, int type) => Refusal.With();

    private static int RefuseOne(void* one) => Linux.EOPNOTSUPP;

    private static int RefuseThree(void* one, void* two, void* three) => Linux.EOPNOTSUPP;
}
