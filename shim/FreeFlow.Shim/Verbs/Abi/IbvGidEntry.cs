namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_gid_entry.</summary>
internal struct IbvGidEntry { public IbvGid Gid; public uint Index, Port, Type, InterfaceIndex; }
