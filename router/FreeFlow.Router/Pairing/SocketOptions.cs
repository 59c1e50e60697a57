using System;
using System.Buffers.Binary;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>Reads what the kernel tells about a socket (socket(7), tcp(7)).</summary>
internal static unsafe class SocketOptions
{
    private const int AddressBytes = 28; // sockaddr_in6
    private const byte Established = 1;  // TCP_ESTABLISHED

    /// <summary>True for a TCP socket over IPv4 or IPv6 in state ESTABLISHED; gives its address family.</summary>
    public static bool IsEstablishedTcp(int socket, out int domain)
    {
        byte state = 0;
        uint length = sizeof(byte); // the first byte of struct tcp_info is the state
        return TryGet(socket, Libc.SO_DOMAIN, out domain) && domain is Libc.AF_INET or Libc.AF_INET6
            && TryGet(socket, Libc.SO_TYPE, out int type) && type == Libc.SOCK_STREAM
            && TryGet(socket, Libc.SO_PROTOCOL, out int protocol) && protocol == Libc.IPPROTO_TCP
            && Libc.getsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_INFO, &state, &length) == 0 && state == Established;
    }

    /// <summary>Reads a socket-level option of the width of <typeparamref name="T"/>.</summary>
    public static bool TryGet<T>(int socket, int name, out T value) where T : unmanaged
    {
        T read = default;
        uint length = (uint)sizeof(T);
        bool ok = Libc.getsockopt(socket, Libc.SOL_SOCKET, name, &read, &length) == 0 && length == sizeof(T);
        value = read;
        return ok;
    }

    /// <summary>The bytes that a program has asked for by SO_SNDBUF or SO_RCVBUF; 0 if it has not.</summary>
    public static ulong Buffer(int socket, int name)
    {
        const int sendLocked = 1, receiveLocked = 2; // bits of SO_BUF_LOCK
        if (!TryGet(socket, Libc.SO_BUF_LOCK, out int locks) || (locks & (name == Libc.SO_SNDBUF ? sendLocked : receiveLocked)) == 0) return 0;
        // The kernel reports twice what was asked for, to have room for its own headers.
        return TryGet(socket, name, out int bytes) && bytes > 0 ? (ulong)bytes / 2 : 0;
    }

    /// <summary>Both addresses of a connected socket.</summary>
    public static bool TryGetAddresses(int socket, out FourTuple addresses)
    {
        addresses = default;
        if (!TryGetLocal(socket, out InternetEndpoint local)) return false;
        byte* buffer = stackalloc byte[AddressBytes];
        uint length = AddressBytes;
        if (Libc.getpeername(socket, buffer, &length) != 0 || !TryParse(new ReadOnlySpan<byte>(buffer, (int)Math.Min(length, AddressBytes)), out InternetEndpoint remote)) return false;
        addresses = new FourTuple(local, remote);
        return true;
    }

    /// <summary>The address that a socket is bound to.</summary>
    public static bool TryGetLocalAddress(int socket, out InternetAddress address)
    {
        bool known = TryGetLocal(socket, out InternetEndpoint local);
        address = local.Address;
        return known;
    }

    private static bool TryGetLocal(int socket, out InternetEndpoint local)
    {
        local = default;
        byte* buffer = stackalloc byte[AddressBytes];
        uint length = AddressBytes;
        return Libc.getsockname(socket, buffer, &length) == 0 && TryParse(new ReadOnlySpan<byte>(buffer, (int)Math.Min(length, AddressBytes)), out local);
    }

    private static bool TryParse(ReadOnlySpan<byte> address, out InternetEndpoint endpoint)
    {
        endpoint = default;
        if (address.Length < 16) return false;
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        switch (BinaryPrimitives.ReadUInt16LittleEndian(address))
        {
            case Libc.AF_INET:
                endpoint = new InternetEndpoint(InternetAddress.FromIPv4(address.Slice(4, 4)), port);
                return true;
            case Libc.AF_INET6 when address.Length == AddressBytes:
                endpoint = new InternetEndpoint(InternetAddress.FromIPv6(address.Slice(8, 16)), port);
                return true;
            default:
                return false;
        }
    }
}
