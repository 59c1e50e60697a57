using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Address handles, and multicast, which this device does not have.</summary>
internal static unsafe class AddressHandles
{
    [Verbs("void* ibv_create_ah(void* domain, void* attributes)", Guard = "ff_is_ours(domain)")]
    public static AddressHandle* Create(ProtectionDomain* domain, IbvAhAttr* attributes) => AddressHandle.Create(domain, attributes);

    [Verbs("int ibv_init_ah_from_wc(void* context, unsigned char port, void* completion, void* grh, void* attributes)", Guard = "ff_is_our_context(context)")]
    public static int Describe(void* context, byte port, IbvWc* completion, byte* grh, IbvAhAttr* attributes) => AddressHandle.Describe(port, completion, grh, attributes);

    [Verbs("void* ibv_create_ah_from_wc(void* domain, void* completion, void* grh, unsigned char port)", Guard = "ff_is_ours(domain)")]
    public static AddressHandle* CreateFromCompletion(ProtectionDomain* domain, IbvWc* completion, byte* grh, byte port)
    {
        IbvAhAttr attributes;
        return AddressHandle.Describe(port, completion, grh, &attributes) == 0 ? AddressHandle.Create(domain, &attributes) : null;
    }

    [Verbs("int ibv_destroy_ah(void* handle)", Guard = "ff_is_ours(handle)")]
    public static int Destroy(AddressHandle* handle) => AddressHandle.Destroy(handle);

    [Verbs("int ibv_attach_mcast(void* pair, void* gid, unsigned short lid)", Guard = "ff_is_ours(pair)")]
    public static int Attach(void* pair, void* gid, ushort lid) => Linux.EOPNOTSUPP;

    [Verbs("int ibv_detach_mcast(void* pair, void* gid, unsigned short lid)", Guard = "ff_is_ours(pair)")]
    public static int Detach(void* pair, void* gid, ushort lid) => Linux.EOPNOTSUPP;

    [Verbs("int ibv_resolve_eth_l2_from_gid(void* context, void* attributes, void* mac, void* vlan)", Guard = "ff_is_our_context(context)")]
    public static int ResolveMac(void* context, void* attributes, void* mac, void* vlan) => Linux.EOPNOTSUPP;
}
