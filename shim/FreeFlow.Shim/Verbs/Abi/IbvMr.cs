namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>struct ibv_mr.</summary>
internal unsafe struct IbvMr
{
    public void* Context;
    public void* Pd;
    public byte* Address;
    public nuint Length;
    public uint Handle;
    public uint LocalKey;
    public uint RemoteKey;
}
