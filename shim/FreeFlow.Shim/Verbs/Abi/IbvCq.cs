using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_cq; its mutex and condition variable are not used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct IbvCq
{
    [FieldOffset(0)] public void* Context;
    [FieldOffset(8)] public void* Channel;
    [FieldOffset(16)] public void* UserContext;
    [FieldOffset(24)] public uint Handle;
    [FieldOffset(28)] public int Entries;
}
