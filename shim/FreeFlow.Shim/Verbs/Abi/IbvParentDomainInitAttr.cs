namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_parent_domain_init_attr, as far as it matters here.</summary>
internal unsafe struct IbvParentDomainInitAttr
{
    public const uint HasAllocators = 1, HasContext = 2;

    public ProtectionDomain* Domain;
    public void* ThreadDomain;
    public uint Mask;
}
