using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_device.</summary>
[StructLayout(LayoutKind.Explicit, Size = 664)]
internal unsafe struct IbvDevice
{
    public const int NameBytes = 64, PathBytes = 256;

    [FieldOffset(16)] public int NodeType;
    [FieldOffset(20)] public int TransportType;
    [FieldOffset(24)] public fixed byte Name[NameBytes];
    [FieldOffset(88)] public fixed byte DeviceName[NameBytes];
    [FieldOffset(152)] public fixed byte DevicePath[PathBytes];
    [FieldOffset(408)] public fixed byte IbDevicePath[PathBytes];
}
