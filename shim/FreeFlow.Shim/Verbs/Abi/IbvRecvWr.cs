namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_recv_wr.</summary>
internal unsafe struct IbvRecvWr { public ulong WrId; public IbvRecvWr* Next; public IbvSge* Sges; public int SgeCount; }
