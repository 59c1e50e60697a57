using System;
using System.Buffers.Binary;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// One NETLINK_SOCK_DIAG socket (sock_diag(7)): asks the kernel of one network namespace about one TCP socket by addresses and cookie. No privilege is needed.
/// </summary>
internal sealed unsafe class SocketDiagnosis : IDisposable
{
    private const int NetlinkHeaderBytes = 16;
    private const int SocketIdOffset = NetlinkHeaderBytes + 8;  // after family, protocol, extensions, padding, states
    private const int RequestBytes = SocketIdOffset + 48;       // struct inet_diag_req_v2
    private const int AnswerStateOffset = NetlinkHeaderBytes + 1;
    private const int AnswerCookieOffset = NetlinkHeaderBytes + 4 + 40;
    private const ushort SockDiagByFamily = 20, NetlinkError = 2, NetlinkDone = 3, FlagRequest = 1, FlagDump = 0x300;
    private const byte Established = 1;

    private readonly int _socket;
    private uint _sequence;

    private SocketDiagnosis(int socket) => _socket = socket;

    /// <summary>Opens one in the calling thread's network namespace; null if the kernel has none.</summary>
    public static SocketDiagnosis? Open()
    {
        int socket = Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, Libc.NETLINK_SOCK_DIAG);
        if (socket < 0) return null;
        long* timeout = stackalloc long[2] { 1, 0 }; // the kernel answers at once; this only keeps the loop from ever hanging
        Libc.setsockopt(socket, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout, 16);
        return new SocketDiagnosis(socket);
    }

    /// <summary>
    /// True if the kernel can answer for TCP at all. A kernel without tcp_diag says "no such socket" to every question, which must not be taken for a closed one.
    /// </summary>
    public bool KnowsTcp()
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Span<byte> answer = stackalloc byte[512];
        Fill(request, FlagRequest | FlagDump, Libc.AF_INET); // every socket whose state is one of none: an empty list
        int length = Exchange(request, answer);
        return length >= NetlinkHeaderBytes && BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]) == NetlinkDone;
    }

    /// <summary>Is exactly this socket established with these addresses now?</summary>
    public Liveness Ask(SocketFacts facts)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Span<byte> answer = stackalloc byte[512];
        Fill(request, FlagRequest, facts.Domain);
        Span<byte> id = request[SocketIdOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(id, facts.Addresses.Local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], facts.Addresses.Remote.Port);
        WriteAddress(id.Slice(4, 16), facts.Addresses.Local.Address, facts.Domain);
        WriteAddress(id.Slice(20, 16), facts.Addresses.Remote.Address, facts.Domain);
        BinaryPrimitives.WriteInt32LittleEndian(id[36..], facts.BoundInterface);
        BinaryPrimitives.WriteUInt64LittleEndian(id[40..], facts.Cookie);
        int length = Exchange(request, answer);
        if (length < NetlinkHeaderBytes + 4) return Liveness.Unavailable;
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]);
        if (type == NetlinkError)
        {
            int error = -BinaryPrimitives.ReadInt32LittleEndian(answer[NetlinkHeaderBytes..]);
            return error is Errno.ENOENT or Errno.ESTALE ? Liveness.Gone : Liveness.Unavailable;
        }
        if (type != SockDiagByFamily || length < AnswerCookieOffset + 8) return Liveness.Unavailable;
        bool same = answer[AnswerStateOffset] == Established && BinaryPrimitives.ReadUInt64LittleEndian(answer[AnswerCookieOffset..]) == facts.Cookie;
        return same ? Liveness.Established : Liveness.Gone;
    }

    public void Dispose() => Libc.close(_socket);

    private void Fill(Span<byte> request, int flags, int domain)
    {
        BinaryPrimitives.WriteInt32LittleEndian(request, RequestBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], SockDiagByFamily);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], (ushort)flags);
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], ++_sequence);
        request[NetlinkHeaderBytes] = (byte)domain;
        request[NetlinkHeaderBytes + 1] = Libc.IPPROTO_TCP;
    }

    private static void WriteAddress(Span<byte> target, InternetAddress address, int domain)
    {
        if (domain == Libc.AF_INET) BinaryPrimitives.WriteUInt32BigEndian(target, address.IPv4);
        else address.Write(target);
    }

    /// <summary>Sends, and returns the length of the answer with the same sequence number, or -1.</summary>
    private int Exchange(ReadOnlySpan<byte> request, Span<byte> answer)
    {
        fixed (byte* sent = request)
        fixed (byte* received = answer)
        {
            if (Libc.send(_socket, sent, (nuint)request.Length, 0) != request.Length) return -1;
            while (true)
            {
                int length = (int)Libc.recv(_socket, received, (nuint)answer.Length, 0);
                if (length < 0 && Errno.Last == Errno.EINTR) continue;
                if (length < NetlinkHeaderBytes) return -1;
                if (BinaryPrimitives.ReadUInt32LittleEndian(answer[8..]) == _sequence) return length;
            }
        }
    }
}
