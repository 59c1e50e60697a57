namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_srq_attr.</summary>
internal struct IbvSrqAttr { public uint Wrs, Sges, Limit; }
