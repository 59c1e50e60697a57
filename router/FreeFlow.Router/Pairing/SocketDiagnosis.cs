using System;
using System.Buffers.Binary;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// One NETLINK_SOCK_DIAG socket (sock_diag(7)): asks the kernel of one network namespace about one TCP socket by addresses and cookie. No privilege is needed.
/// </summary>
internal sealed class SocketDiagnosis : IDisposable
{
    private const int SocketIdOffset = NetlinkSocket.HeaderBytes + 8;  // after family, protocol, extensions, padding, states
    private const int RequestBytes = SocketIdOffset + 48;       // struct inet_diag_req_v2
    private const int AnswerStateOffset = NetlinkSocket.HeaderBytes + 1;
    private const int AnswerCookieOffset = NetlinkSocket.HeaderBytes + 4 + 40;
    private const ushort SockDiagByFamily = 20;
    private const byte Established = 1;

    private readonly NetlinkSocket _socket;

    private SocketDiagnosis(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens one in the calling thread's network namespace; null if the kernel has none.</summary>
    public static SocketDiagnosis? Open() => NetlinkSocket.Open(Libc.NETLINK_SOCK_DIAG) is { } socket ? new SocketDiagnosis(socket) : null;

    /// <summary>
    /// True if the kernel can answer for TCP at all. A kernel without tcp_diag says "no such socket" to every question, which must not be taken for a closed one.
    /// </summary>
    public bool KnowsTcp()
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Span<byte> answer = stackalloc byte[512];
        Fill(request, NetlinkSocket.FlagRequest | NetlinkSocket.FlagDump, Libc.AF_INET); // every socket whose state is one of none: an empty list
        int length = _socket.Exchange(request, answer);
        return length >= NetlinkSocket.HeaderBytes && NetlinkSocket.TypeOf(answer) == NetlinkSocket.Done;
    }

    /// <summary>Is exactly this socket established with these addresses now?</summary>
    public Liveness Ask(SocketFacts facts)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Span<byte> answer = stackalloc byte[512];
        Fill(request, NetlinkSocket.FlagRequest, facts.Domain);
        Span<byte> id = request[SocketIdOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(id, facts.Addresses.Local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], facts.Addresses.Remote.Port);
        WriteAddress(id.Slice(4, 16), facts.Addresses.Local.Address, facts.Domain);
        WriteAddress(id.Slice(20, 16), facts.Addresses.Remote.Address, facts.Domain);
        BinaryPrimitives.WriteInt32LittleEndian(id[36..], facts.BoundInterface);
        BinaryPrimitives.WriteUInt64LittleEndian(id[40..], facts.Cookie);
        int length = _socket.Exchange(request, answer);
        if (length < NetlinkSocket.HeaderBytes + 4) return Liveness.Unavailable;
        ushort type = NetlinkSocket.TypeOf(answer);
        if (type == NetlinkSocket.Error)
        {
            int error = -BinaryPrimitives.ReadInt32LittleEndian(answer[NetlinkSocket.HeaderBytes..]);
            return error is Errno.ENOENT or Errno.ESTALE ? Liveness.Gone : Liveness.Unavailable;
        }
        if (type != SockDiagByFamily || length < AnswerCookieOffset + 8) return Liveness.Unavailable;
        bool same = answer[AnswerStateOffset] == Established && BinaryPrimitives.ReadUInt64LittleEndian(answer[AnswerCookieOffset..]) == facts.Cookie;
        return same ? Liveness.Established : Liveness.Gone;
    }

    public void Dispose() => _socket.Dispose();

    private void Fill(Span<byte> request, int flags, int domain)
    {
        _socket.WriteHeader(request, SockDiagByFamily, flags);
        request[NetlinkSocket.HeaderBytes] = (byte)domain;
        request[NetlinkSocket.HeaderBytes + 1] = Libc.IPPROTO_TCP;
    }

    private static void WriteAddress(Span<byte> target, InternetAddress address, int domain)
    {
        if (domain == Libc.AF_INET) BinaryPrimitives.WriteUInt32BigEndian(target, address.IPv4);
        else address.Write(target);
    }
}
