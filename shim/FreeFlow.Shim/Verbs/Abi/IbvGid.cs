namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>union ibv_gid, in two halves as they lie in memory (network order).</summary>
internal struct IbvGid { public ulong High, Low; }
