using FreeFlow.Shim.Native;
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

    /// <summary>Takes over what the program asks for. 0, or an errno.</summary>
    public static int Fill(ReceiveRequest* request, IbvRecvWr* wish, uint mostSges)
    {
        if (wish->SgeCount < 0 || (uint)wish->SgeCount > mostSges) return Linux.EINVAL;
        ulong length = 0;
        for (int i = 0; i < wish->SgeCount; i++)
        {
            Sges(request)[i] = wish->Sges[i];
            length += wish->Sges[i].Length;
        }
        if (length > Device.MostMessageBytes) return Linux.EINVAL;
        request->WrId = wish->WrId;
        request->SgeCount = (uint)wish->SgeCount;
        request->Length = (uint)length;
        return 0;
    }
}
