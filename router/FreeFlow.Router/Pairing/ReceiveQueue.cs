using System;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// Writes into a TCP socket's queue of received bytes (TCP_REPAIR, as checkpoints are restored by it). Needs CAP_NET_ADMIN in the user
/// namespace of the socket's network namespace. Only where the other end has ended its stream, and nothing follows that could come in
/// between.
/// </summary>
internal static unsafe class ReceiveQueue
{
    private const int CloseWait = 8;   // tcp_states.h
    private const int ReceivedBytes = 1;   // TCP_RECV_QUEUE
    private const int On = 1, OffWithoutProbe = -1;   // TCP_REPAIR_

    /// <summary>One send makes one buffer of at most 17 pages.</summary>
    private const int Piece = 1 << 16;

    /// <summary>
    /// Puts so many bytes of <paramref name="memory"/>, from <paramref name="offset"/> on, behind what is in the queue; without any, tells whether
    /// it could be done. False if not all of them are there.
    /// </summary>
    public static bool TryPut(int socket, int memory, long offset, nint count)
    {
        if (!IsEnded(socket)) return false;
        // Ending a repair takes this option away, and room that was forced is no longer the kernel's to choose.
        int reuse = Option(socket, Libc.SOL_SOCKET, Libc.SO_REUSEADDR), room = Option(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUF);
        if (!Set(socket, Libc.IPPROTO_TCP, Libc.TCP_REPAIR, On)) return false;
        bool done = Set(socket, Libc.IPPROTO_TCP, Libc.TCP_REPAIR_QUEUE, ReceivedBytes);
        if (count > 0 && done)
        {
            done = Set(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, room + (int)count) && Copy(socket, memory, offset, count);
            // getsockopt(2) tells twice what was set.
            _ = Set(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, room / 2);
        }
        bool left = Set(socket, Libc.IPPROTO_TCP, Libc.TCP_REPAIR, OffWithoutProbe);
        if (reuse != 0) _ = Set(socket, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, reuse);
        return done && left;
    }

    private static bool Copy(int socket, int memory, long offset, nint count)
    {
        byte* bytes = stackalloc byte[Piece];
        for (nint at = 0; at < count;)
        {
            nint piece = Libc.pread(memory, bytes, (nuint)Math.Min(Piece, count - at), (nint)offset + at);
            nint sent = piece <= 0 ? 0 : Libc.send(socket, bytes, (nuint)piece, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (sent <= 0) return false;
            at += sent;
        }
        return true;
    }

    private static bool IsEnded(int socket)
    {
        int family = Option(socket, Libc.SOL_SOCKET, Libc.SO_DOMAIN);
        if (family is not (Libc.AF_INET or Libc.AF_INET6) || Option(socket, Libc.SOL_SOCKET, Libc.SO_PROTOCOL) != Libc.IPPROTO_TCP) return false;
        byte state = 0;
        uint length = 1;
        return Libc.getsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_INFO, &state, &length) == 0 && state == CloseWait;
    }

    private static int Option(int socket, int level, int name)
    {
        int value = 0;
        uint length = sizeof(int);
        return Libc.getsockopt(socket, level, name, &value, &length) == 0 ? value : 0;
    }

    private static bool Set(int socket, int level, int name, int value) => Libc.setsockopt(socket, level, name, &value, sizeof(int)) == 0;
}
