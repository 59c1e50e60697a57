namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_srq_init_attr.</summary>
internal unsafe struct IbvSrqInitAttr { public void* UserContext; public IbvSrqAttr Attributes; }
