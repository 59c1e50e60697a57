using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_device_attr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 232)]
internal unsafe struct IbvDeviceAttr
{
    [FieldOffset(0)] public fixed byte Firmware[64];
    [FieldOffset(64)] public ulong NodeGuid;
    [FieldOffset(72)] public ulong SystemGuid;
    [FieldOffset(80)] public ulong MaxMrBytes;
    [FieldOffset(88)] public ulong PageSizes;
    [FieldOffset(96)] public uint VendorId;
    [FieldOffset(100)] public uint VendorPart;
    [FieldOffset(104)] public uint HardwareVersion;
    [FieldOffset(108)] public int MaxQp;
    [FieldOffset(112)] public int MaxQpWr;
    [FieldOffset(116)] public uint Capabilities;
    [FieldOffset(120)] public int MaxSge;
    [FieldOffset(124)] public int MaxSgeRead;
    [FieldOffset(128)] public int MaxCq;
    [FieldOffset(132)] public int MaxCqe;
    [FieldOffset(136)] public int MaxMr;
    [FieldOffset(140)] public int MaxPd;
    [FieldOffset(144)] public int MaxQpReadAtomic;
    [FieldOffset(152)] public int MaxReadAtomic;
    [FieldOffset(156)] public int MaxQpInitiatedReadAtomic;
    [FieldOffset(164)] public uint AtomicCapability;
    [FieldOffset(200)] public int MaxAh;
    [FieldOffset(212)] public int MaxSrq;
    [FieldOffset(216)] public int MaxSrqWr;
    [FieldOffset(220)] public int MaxSrqSge;
    [FieldOffset(224)] public ushort MaxPkeys;
    [FieldOffset(226)] public byte AckDelay;
    [FieldOffset(227)] public byte Ports;
}
