namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_ah.</summary>
internal unsafe struct IbvAh { public void* Context; public void* Pd; public uint Handle; }
