using System.Runtime.InteropServices;
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

    /// <summary>It goes to the peer as a message and completes when that has a receive.</summary>
    public readonly bool IsMessage => Opcode is Ibv.WrSend or Ibv.WrSendImm or Ibv.WrSendInv or Ibv.WrWriteImm;
}
