using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_srq; its mutex and condition variable are not used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct IbvSrq
{
    [FieldOffset(0)] public void* Context;
    [FieldOffset(8)] public void* UserContext;
    [FieldOffset(16)] public void* Pd;
    [FieldOffset(24)] public uint Handle;
}
