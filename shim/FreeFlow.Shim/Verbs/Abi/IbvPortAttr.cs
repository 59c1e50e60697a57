using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_port_attr as of rdma-core 60; programs ask for its beginning.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal struct IbvPortAttr
{
    [FieldOffset(0)] public uint State;
    [FieldOffset(4)] public uint MaxMtu;
    [FieldOffset(8)] public uint ActiveMtu;
    [FieldOffset(12)] public int GidTableLength;
    [FieldOffset(16)] public uint Capabilities;
    [FieldOffset(20)] public uint MaxMessageBytes;
    [FieldOffset(32)] public ushort PkeyTableLength;
    [FieldOffset(34)] public ushort Lid;
    [FieldOffset(39)] public byte MaxVirtualLanes;
    [FieldOffset(43)] public byte ActiveWidth;
    [FieldOffset(44)] public byte ActiveSpeed;
    [FieldOffset(45)] public byte PhysicalState;
    [FieldOffset(46)] public byte LinkLayer;
    [FieldOffset(47)] public byte Flags;
}
