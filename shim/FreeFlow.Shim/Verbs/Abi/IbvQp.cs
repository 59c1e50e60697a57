using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_qp and, behind it, struct ibv_qp_ex as of rdma-core 60.</summary>
[StructLayout(LayoutKind.Explicit, Size = 360)]
internal unsafe struct IbvQp
{
    [FieldOffset(0)] public void* Context;
    [FieldOffset(8)] public void* UserContext;
    [FieldOffset(16)] public void* Pd;
    [FieldOffset(24)] public void* SendCq;
    [FieldOffset(32)] public void* ReceiveCq;
    [FieldOffset(40)] public void* Srq;
    [FieldOffset(48)] public uint Handle;
    [FieldOffset(52)] public uint Number;
    [FieldOffset(56)] public uint State;
    [FieldOffset(60)] public uint Type;

    [FieldOffset(168)] public ulong WrId;
    [FieldOffset(176)] public uint WrFlags;
    [FieldOffset(184)] public nint WrAtomicCmpSwp;
    [FieldOffset(192)] public nint WrAtomicFetchAdd;
    [FieldOffset(200)] public nint WrBindMw;
    [FieldOffset(208)] public nint WrLocalInv;
    [FieldOffset(216)] public nint WrRdmaRead;
    [FieldOffset(224)] public nint WrRdmaWrite;
    [FieldOffset(232)] public nint WrRdmaWriteImm;
    [FieldOffset(240)] public nint WrSend;
    [FieldOffset(248)] public nint WrSendImm;
    [FieldOffset(256)] public nint WrSendInv;
    [FieldOffset(264)] public nint WrSendTso;
    [FieldOffset(272)] public nint WrSetUdAddr;
    [FieldOffset(280)] public nint WrSetXrcSrqn;
    [FieldOffset(288)] public nint WrSetInlineData;
    [FieldOffset(296)] public nint WrSetInlineDataList;
    [FieldOffset(304)] public nint WrSetSge;
    [FieldOffset(312)] public nint WrSetSgeList;
    [FieldOffset(320)] public nint WrStart;
    [FieldOffset(328)] public nint WrComplete;
    [FieldOffset(336)] public nint WrAbort;
}
