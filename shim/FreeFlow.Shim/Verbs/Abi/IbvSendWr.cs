using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_send_wr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct IbvSendWr
{
    [FieldOffset(0)] public ulong WrId;
    [FieldOffset(8)] public IbvSendWr* Next;
    [FieldOffset(16)] public IbvSge* Sges;
    [FieldOffset(24)] public int SgeCount;
    [FieldOffset(28)] public uint Opcode;
    [FieldOffset(32)] public uint Flags;
    [FieldOffset(36)] public uint Immediate;
    [FieldOffset(40)] public ulong RemoteAddress;
    [FieldOffset(48)] public uint RemoteKey;

    // Of a datagram.
    [FieldOffset(40)] public void* AddressHandle;
    [FieldOffset(48)] public uint RemoteQp;
    [FieldOffset(52)] public uint RemoteQkey;

    // Of an atomic operation.
    [FieldOffset(48)] public ulong CompareAdd;
    [FieldOffset(56)] public ulong Swap;
    [FieldOffset(64)] public uint AtomicKey;
}
