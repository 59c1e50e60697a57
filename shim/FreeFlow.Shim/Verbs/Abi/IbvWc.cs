using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_wc.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct IbvWc
{
    [FieldOffset(0)] public ulong WrId;
    [FieldOffset(8)] public uint Status;
    [FieldOffset(12)] public uint Opcode;
    [FieldOffset(16)] public uint VendorError;
    [FieldOffset(20)] public uint ByteLength;
    [FieldOffset(24)] public uint Immediate;
    [FieldOffset(28)] public uint QpNumber;
    [FieldOffset(32)] public uint SourceQp;
    [FieldOffset(36)] public uint Flags;
    [FieldOffset(40)] public ulong Rest;
}
