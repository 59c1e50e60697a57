namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_pd.</summary>
internal unsafe struct IbvPd { public void* Context; public uint Handle; }
