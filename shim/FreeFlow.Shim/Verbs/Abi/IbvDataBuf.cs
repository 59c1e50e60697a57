namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_data_buf.</summary>
internal unsafe struct IbvDataBuf { public byte* Address; public nuint Length; }
