using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_ah_attr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct IbvAhAttr
{
    [FieldOffset(0)] public IbvGid DestinationGid;
    [FieldOffset(16)] public uint FlowLabel;
    [FieldOffset(20)] public byte SourceGidIndex;
    [FieldOffset(21)] public byte HopLimit;
    [FieldOffset(22)] public byte TrafficClass;
    [FieldOffset(24)] public ushort DestinationLid;
    [FieldOffset(26)] public byte ServiceLevel;
    [FieldOffset(29)] public byte IsGlobal;
    [FieldOffset(30)] public byte Port;
}
