using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_qp_init_attr and, behind it, struct ibv_qp_init_attr_ex.</summary>
[StructLayout(LayoutKind.Explicit, Size = 136)]
internal unsafe struct IbvQpInitAttr
{
    public const int Bytes = 64;
    public const uint HasPd = 1, HasCreateFlags = 4, HasSendOps = 0x40;

    [FieldOffset(0)] public void* UserContext;
    [FieldOffset(8)] public void* SendCq;
    [FieldOffset(16)] public void* ReceiveCq;
    [FieldOffset(24)] public void* Srq;
    [FieldOffset(32)] public IbvQpCap Cap;
    [FieldOffset(52)] public uint Type;
    [FieldOffset(56)] public int AllSignaled;
    [FieldOffset(60)] public uint Mask;
    [FieldOffset(64)] public void* Pd;
    [FieldOffset(80)] public uint CreateFlags;
    [FieldOffset(128)] public ulong SendOps;
}
