using System.Runtime.InteropServices;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>A place in a send queue, in this process's own memory: the head, then gather elements or inline bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WorkRequest
{
    public ulong WrId;
    public uint Opcode, Flags;
    public uint SgeCount, Immediate;

    /// <summary>Payload in bytes.</summary>
    public ulong Length;
    public ulong RemoteAddress, CompareAdd, Swap;

    /// <summary>Of a message: its number in the direction's block.</summary>
    public ulong Message;
    public uint RemoteKey;

    public const int HeadBytes = 80;

    public static IbvSge* Sges(WorkRequest* request) => (IbvSge*)((byte*)request + HeadBytes);

    public static byte* Inline(WorkRequest* request) => (byte*)request + HeadBytes;

    public readonly bool IsInline => (Flags & Ibv.SendInline) != 0;

    /// <summary>Reads and atomic operations bring something back: no unreliable connection has them, and no inline bytes.</summary>
    public static bool IsAnswered(uint opcode) => opcode is Ibv.WrRead or Ibv.WrCmpSwp or Ibv.WrFetchAdd;

    /// <summary>Takes the elements that name the payload. 0, or an errno with the request as it was.</summary>
    public static int SetSges(WorkRequest* request, IbvSge* sges, nuint count, uint most)
    {
        if (count > most) return Linux.EINVAL;
        ulong length = 0;
        for (nuint i = 0; i < count; i++)
        {
            Sges(request)[i] = sges[i];
            length += sges[i].Length;
        }
        if (length > Device.MostMessageBytes) return Linux.EINVAL;
        request->SgeCount = (uint)count;
        request->Length = length;
        return 0;
    }

    /// <summary>Copies inline bytes behind those that are there. 0, or an errno.</summary>
    public static int AddInline(WorkRequest* request, void* data, nuint bytes, uint most)
    {
        if (bytes > most - request->Length) return Linux.ENOMEM;
        if (bytes != 0 && Process.Copy(Inline(request) + request->Length, data, bytes) != 0) return Linux.EFAULT;
        request->Length += bytes;
        return 0;
    }

    /// <summary>It goes to the peer as a message and completes when that has a receive.</summary>
    public readonly bool IsMessage => Opcode is Ibv.WrSend or Ibv.WrSendImm or Ibv.WrSendInv or Ibv.WrWriteImm;
}
