using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_cq and, behind it, struct ibv_cq_ex; mutex and condition variable are not used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 288)]
internal unsafe struct IbvCq
{
    [FieldOffset(0)] public void* Context;
    [FieldOffset(8)] public void* Channel;
    [FieldOffset(16)] public void* UserContext;
    [FieldOffset(24)] public uint Handle;
    [FieldOffset(28)] public int Entries;

    [FieldOffset(132)] public uint Status;
    [FieldOffset(136)] public ulong WrId;
    [FieldOffset(144)] public nint StartPoll;
    [FieldOffset(152)] public nint NextPoll;
    [FieldOffset(160)] public nint EndPoll;
    [FieldOffset(168)] public nint ReadOpcode;
    [FieldOffset(176)] public nint ReadVendorError;
    [FieldOffset(184)] public nint ReadByteLength;
    [FieldOffset(192)] public nint ReadImmediate;
    [FieldOffset(200)] public nint ReadQpNumber;
    [FieldOffset(208)] public nint ReadSourceQp;
    [FieldOffset(216)] public nint ReadWcFlags;
    [FieldOffset(224)] public nint ReadSlid;
    [FieldOffset(232)] public nint ReadSl;
    [FieldOffset(240)] public nint ReadDlidPathBits;
}
