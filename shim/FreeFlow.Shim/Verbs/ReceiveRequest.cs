using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>A place in a receive queue; scatter elements follow.</summary>
internal unsafe struct ReceiveRequest
{
    public ulong WrId;
    public uint SgeCount;
    public uint Length;

    public const int HeadBytes = 16;

    public static IbvSge* Sges(ReceiveRequest* request) => (IbvSge*)((byte*)request + HeadBytes);
}
