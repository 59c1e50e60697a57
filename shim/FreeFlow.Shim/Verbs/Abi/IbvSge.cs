namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_sge.</summary>
internal struct IbvSge { public ulong Address; public uint Length; public uint LocalKey; }
