namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_qp_cap.</summary>
internal struct IbvQpCap { public uint SendWrs, ReceiveWrs, SendSges, ReceiveSges, InlineBytes; }
