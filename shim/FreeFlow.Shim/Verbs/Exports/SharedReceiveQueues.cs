using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Shared receive queues.</summary>
internal static unsafe class SharedReceiveQueues
{
    [Verbs("void* ibv_create_srq(void* domain, void* wish)", Guard = "ff_is_ours(domain)")]
    public static SharedReceiveQueue* Create(ProtectionDomain* domain, IbvSrqInitAttr* wish) => SharedReceiveQueue.Create(domain, wish);

    [Verbs("int ibv_modify_srq(void* srq, void* attributes, int mask)", Guard = "ff_is_ours(srq)")]
    public static int Modify(SharedReceiveQueue* srq, IbvSrqAttr* attributes, int mask) => SharedReceiveQueue.Modify(srq, attributes, (uint)mask);

    [Verbs("int ibv_query_srq(void* srq, void* attributes)", Guard = "ff_is_ours(srq)")]
    public static int Query(SharedReceiveQueue* srq, IbvSrqAttr* attributes) => SharedReceiveQueue.Query(srq, attributes);

    [Verbs("int ibv_destroy_srq(void* srq)", Guard = "ff_is_ours(srq)")]
    public static int Destroy(SharedReceiveQueue* srq) => SharedReceiveQueue.Destroy(srq);
}
