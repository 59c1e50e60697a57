using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>
/// struct verbs_context as of rdma-core 60, the largest: it grows at its beginning, and programs find its members at fixed distances in front of the context. A member that is 0 makes
/// the inline function answer EOPNOTSUPP.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 696)]
internal unsafe struct VerbsContext
{
    [FieldOffset(48)] public nint QueryPort;
    [FieldOffset(160)] public nint AllocParentDomain;
    [FieldOffset(168)] public nint DeallocTd;
    [FieldOffset(176)] public nint AllocTd;
    [FieldOffset(248)] public nint CreateCqEx;
    [FieldOffset(264)] public nint QueryDeviceEx;
    [FieldOffset(312)] public nint CreateQpEx;
    [FieldOffset(344)] public nint CloseXrcd;
    [FieldOffset(360)] public nuint Size;
    [FieldOffset(368)] public IbvContext Context;
}
