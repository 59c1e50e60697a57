using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_context, with the calls behind its inline functions.</summary>
[StructLayout(LayoutKind.Explicit, Size = 328)]
internal unsafe struct IbvContext
{
    /// <summary>abi_compat of a context that lies in a struct verbs_context (__VERBS_ABI_IS_EXTENDED).</summary>
    public const nint IsExtended = -1;

    [FieldOffset(0)] public void* Device;
    [FieldOffset(64)] public nint AllocMw;
    [FieldOffset(72)] public nint BindMw;
    [FieldOffset(80)] public nint DeallocMw;
    [FieldOffset(96)] public nint PollCq;
    [FieldOffset(104)] public nint ReqNotifyCq;
    [FieldOffset(168)] public nint PostSrqRecv;
    [FieldOffset(208)] public nint PostSend;
    [FieldOffset(216)] public nint PostRecv;
    [FieldOffset(264)] public int CommandFd;
    [FieldOffset(268)] public int AsyncFd;
    [FieldOffset(272)] public int CompletionVectors;
    [FieldOffset(320)] public nint AbiCompat;
}
