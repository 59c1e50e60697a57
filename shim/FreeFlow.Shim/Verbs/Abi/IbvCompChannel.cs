namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_comp_channel.</summary>
internal unsafe struct IbvCompChannel { public void* Context; public int Fd; public int References; }
