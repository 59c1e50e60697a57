using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_qp_attr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
internal struct IbvQpAttr
{
    [FieldOffset(0)] public uint State;
    [FieldOffset(4)] public uint CurrentState;
    [FieldOffset(8)] public uint PathMtu;
    [FieldOffset(12)] public uint PathMigration;
    [FieldOffset(16)] public uint Qkey;
    [FieldOffset(20)] public uint RqPsn;
    [FieldOffset(24)] public uint SqPsn;
    [FieldOffset(28)] public uint DestinationQp;
    [FieldOffset(32)] public uint Access;
    [FieldOffset(36)] public IbvQpCap Cap;
    [FieldOffset(56)] public IbvAhAttr Address;
    [FieldOffset(120)] public ushort PkeyIndex;
    [FieldOffset(126)] public byte MaxReadAtomic;
    [FieldOffset(127)] public byte MaxDestinationReadAtomic;
    [FieldOffset(128)] public byte MinRnrTimer;
    [FieldOffset(129)] public byte Port;
    [FieldOffset(130)] public byte Timeout;
    [FieldOffset(131)] public byte RetryCount;
    [FieldOffset(132)] public byte RnrRetry;
    [FieldOffset(136)] public uint RateLimit;
}
