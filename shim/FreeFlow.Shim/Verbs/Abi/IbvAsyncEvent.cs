namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_async_event.</summary>
internal unsafe struct IbvAsyncEvent { public void* Element; public uint Type; }
