using System;
using System.Numerics;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>How large a ring on one host is: as the operator says, or larger where the programs have asked for more by SO_SNDBUF and SO_RCVBUF (socket(7)).</summary>
internal static class RingCapacity
{
    /// <summary>What a receiver takes at first whose buffer nobody has set (tcp_rmem); the shim reckons with the same.</summary>
    private const ulong UsualReceiveBuffer = 128 * 1024;

    /// <summary>Data bytes of each direction.</summary>
    public static ulong For(SocketFacts first, SocketFacts second, ulong usual)
    {
        ulong wanted = Math.Max(Wanted(first, second), Wanted(second, first));
        return wanted <= usual ? usual : Math.Min(BitOperations.RoundUpToPowerOf2(wanted), RingLayout.MaximumCapacity);
    }

    private static ulong Wanted(SocketFacts sender, SocketFacts reader) =>
        sender.SendBuffer == 0 ? 0 : sender.SendBuffer + (reader.ReceiveBuffer != 0 ? reader.ReceiveBuffer : UsualReceiveBuffer);
}
