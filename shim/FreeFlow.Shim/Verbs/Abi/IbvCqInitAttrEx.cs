using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_cq_init_attr_ex.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct IbvCqInitAttrEx
{
    public const uint HasFlags = 1, HasParentDomain = 2;

    /// <summary>IBV_CREATE_CQ_ATTR_SINGLE_THREADED.</summary>
    public const uint SingleThreaded = 1;

    /// <summary>IBV_WC_STANDARD_FLAGS.</summary>
    public const ulong StandardFlags = 0x7f;

    [FieldOffset(0)] public uint Entries;
    [FieldOffset(8)] public void* UserContext;
    [FieldOffset(16)] public CompletionChannel* Channel;
    [FieldOffset(24)] public uint Vector;
    [FieldOffset(32)] public ulong WcFlags;
    [FieldOffset(40)] public uint Mask;
    [FieldOffset(44)] public uint Flags;
    [FieldOffset(48)] public void* ParentDomain;
}
