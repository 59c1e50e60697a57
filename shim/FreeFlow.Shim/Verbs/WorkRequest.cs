using System.Runtime.InteropServices;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>A place in a send queue, in this process's own memory: the head, then gather elements or inline bytes.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct WorkRequest
{
    [FieldOffset(0)] public ulong WrId;
    [FieldOffset(8)] public uint Opcode;
    [FieldOffset(12)] public uint Flags;
    [FieldOffset(16)] public uint SgeCount;
    [FieldOffset(20)] public uint Immediate;

    /// <summary>Payload in bytes.</summary>
    [FieldOffset(24)] public ulong Length;
    [FieldOffset(32)] public ulong RemoteAddress;
    [FieldOffset(40)] public ulong CompareAdd;
    [FieldOffset(48)] public ulong Swap;

    /// <summary>Of a message between connected queue pairs: its number in the direction's block.</summary>
    [FieldOffset(56)] public ulong Message;
    [FieldOffset(64)] public uint RemoteKey;

    // Of a datagram: where it goes, and from which address.
    [FieldOffset(32)] public uint DestinationQp;
    [FieldOffset(36)] public byte SourceGidIndex;
    [FieldOffset(40)] public IbvGid DestinationGid;

    /// <summary>Traffic class and flow label.</summary>
    [FieldOffset(56)] public uint Flow;
    [FieldOffset(60)] public uint Qkey;

    public const int HeadBytes = 80;

    public static IbvSge* Sges(WorkRequest* request) => (IbvSge*)((byte*)request + HeadBytes);

    public static byte* Inline(WorkRequest* request) => (byte*)request + HeadBytes;

    public readonly bool IsInline => (Flags & Ibv.SendInline) != 0;

    /// <summary>Reads and atomic operations bring something back: no unreliable connection has them, and no inline bytes.</summary>
    public static bool IsAnswered(uint opcode) => opcode is Ibv.WrRead or Ibv.WrCmpSwp or Ibv.WrFetchAdd;

    /// <summary>True if a queue pair of this kind has the operation.</summary>
    public static bool IsAllowed(uint type, uint opcode) => type switch
    {
        Ibv.QptUd => opcode is Ibv.WrSend or Ibv.WrSendImm,
        Ibv.QptUc => !IsAnswered(opcode),
        _ => true,
    };

    /// <summary>Takes over where a datagram goes. A Q_Key with its highest bit set stands for the queue pair's own (IBA 10.2.5).</summary>
    public static void SetDestination(WorkRequest* request, QueuePair* pair, AddressHandle* handle, uint number, uint key)
    {
        IbvAhAttr* address = &handle->Attributes;
        request->DestinationQp = number;
        request->SourceGidIndex = address->SourceGidIndex;
        request->DestinationGid = address->DestinationGid;
        request->Flow = ((uint)address->TrafficClass << 20) | (address->FlowLabel & 0xfffff);
        request->Qkey = (int)key < 0 ? pair->Attributes.Qkey : key;
    }

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
