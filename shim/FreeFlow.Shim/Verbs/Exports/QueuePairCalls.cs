using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Queue pairs, and what belongs to them that this device does not have.</summary>
internal static unsafe class QueuePairCalls
{
    [Verbs("void* ibv_create_qp(void* domain, void* wish)", Guard = "ff_is_ours(domain)")]
    public static QueuePair* Create(ProtectionDomain* domain, IbvQpInitAttr* wish) => QueuePairs.Create(domain, wish);

    [Verbs("int ibv_destroy_qp(void* pair)", Guard = "ff_is_ours(pair)")]
    public static int Destroy(QueuePair* pair) => QueuePairs.Destroy(pair);

    [Verbs("int ibv_modify_qp(void* pair, void* attributes, int mask)", Guard = "ff_is_ours(pair)")]
    public static int Modify(QueuePair* pair, IbvQpAttr* attributes, int mask) => QueuePairs.Modify(pair, attributes, (uint)mask);

    [Verbs("int ibv_query_qp(void* pair, void* attributes, int mask, void* made)", Guard = "ff_is_ours(pair)")]
    public static int Query(QueuePair* pair, IbvQpAttr* attributes, int mask, IbvQpInitAttr* made)
    {
        *attributes = pair->Attributes;
        attributes->State = attributes->CurrentState = pair->Base.State;
        attributes->Cap = pair->Cap;
        made->UserContext = pair->Base.UserContext;
        made->SendCq = pair->Base.SendCq;
        made->ReceiveCq = pair->Base.ReceiveCq;
        made->Srq = pair->Base.Srq;
        made->Cap = pair->Cap;
        made->Type = pair->Base.Type;
        made->AllSignaled = pair->AllSignaled ? 1 : 0;
        return 0;
    }

    [Verbs("void* ibv_qp_to_qp_ex(void* pair)", Guard = "ff_is_ours(pair)")]
    public static QueuePair* Extend(QueuePair* pair) => pair->Base.WrStart != 0 ? pair : null;

    [Verbs("int ibv_query_qp_data_in_order(void* pair, int opcode, unsigned flags)", Guard = "ff_is_ours(pair)")]
    public static int IsInOrder(void* pair, int opcode, uint flags) => 0;

    [Verbs("int ibv_query_ece(void* pair, void* options)", Guard = "ff_is_ours(pair)")]
    public static int QueryEce(void* pair, ulong* options)
    {
        options[0] = 0;
        *(uint*)(options + 1) = 0;
        return Linux.EOPNOTSUPP;
    }

    [Verbs("int ibv_set_ece(void* pair, void* options)", Guard = "ff_is_ours(pair)")]
    public static int SetEce(void* pair, uint* options) => options[0] == 0 ? 0 : Linux.EOPNOTSUPP;
}
