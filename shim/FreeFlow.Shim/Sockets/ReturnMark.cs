using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What a sender that leaves a mirrored ring writes into the kernel stream before anything else (docs/fabric.md): the mark of its direction, the ring position at
/// which its kernel bytes go on, and the one at which it left the ring.
/// </summary>
internal static unsafe class ReturnMark
{
    public const int HeaderBytes = RingLayout.ReturnMarkBytes + (2 * sizeof(ulong));

    /// <summary>So many bytes at the end of what has come are the mark's beginning, whatever the program sends; fewer may be chance.</summary>
    public const int Certain = 8;

    public static bool IsMirrored(ConnectionRecord* record) => (record->Flags & (uint)ConnectionFlags.Mirrored) != 0;

    /// <summary>What precedes the ring's bytes in the kernel stream: nothing where both ends share the ring, and so the words that say the same.</summary>
    public static ulong HeaderLength(ConnectionRecord* record) => IsMirrored(record) ? HeaderBytes : 0UL;

    /// <summary>True if the router has put marks into a ring that has just been mapped.</summary>
    public static bool IsIn(RingBlockHeader* block)
    {
        int bits = 0;
        for (int i = 0; i < RingLayout.ReturnMarkBytes; i++) bits |= block->ReturnMark[i];
        return bits != 0;
    }

    /// <summary>The header of a return, into <paramref name="target"/>.</summary>
    public static void Write(ConnectionRecord* record, byte* target)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        for (int i = 0; i < RingLayout.ReturnMarkBytes; i++) target[i] = outgoing->ReturnMark[i];
        *(ulong*)(target + RingLayout.ReturnMarkBytes) = record->SendReturnFrom;
        *(ulong*)(target + RingLayout.ReturnMarkBytes + sizeof(ulong)) = Volatile.Read(ref outgoing->ReturnEnd);
    }

    /// <summary>
    /// Takes the next <paramref name="count"/> bytes of a header that is read piece by piece; false if they are something else.
    /// </summary>
    public static bool Accept(ConnectionRecord* record, byte* bytes, int count)
    {
        byte* mark = Block.Incoming(record)->ReturnMark;
        byte* positions = (byte*)&record->ReceiveReturnNext;
        for (int i = 0; i < count; i++)
        {
            uint at = record->ReceiveMarkBytes++;
            if (at >= RingLayout.ReturnMarkBytes) positions[at - RingLayout.ReturnMarkBytes] = bytes[i];
            else if (bytes[i] != mark[at]) return false;
        }
        return true;
    }

    /// <summary>Where the mark, or what may be its beginning, is found in the bytes; their count if it is not there.</summary>
    public static int Find(byte* mark, byte* bytes, int count)
    {
        for (int start = 0; start < count; start++)
        {
            int same = 0;
            while (same < RingLayout.ReturnMarkBytes && start + same < count && bytes[start + same] == mark[same]) same++;
            if (same == RingLayout.ReturnMarkBytes || start + same == count) return start;
        }
        return count;
    }
}
