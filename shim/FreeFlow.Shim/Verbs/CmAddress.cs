using System.Buffers.Binary;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>An address and port of the connection manager, as struct sockaddr_in or sockaddr_in6 has them (ip(7), ipv6(7)).</summary>
internal unsafe struct CmAddress
{
    /// <summary>Bytes of struct sockaddr_in6, and of struct sockaddr_in.</summary>
    public const int Bytes = 28, IPv4Bytes = 16;

    public IbvGid Gid;
    public ushort Port;

    /// <summary>The halves as messages have them.</summary>
    public readonly ulong High => BinaryPrimitives.ReverseEndianness(Gid.High);
    public readonly ulong Low => BinaryPrimitives.ReverseEndianness(Gid.Low);

    /// <summary>None at all, or all addresses of a family.</summary>
    public readonly bool IsAny => (Gid.High == 0 && Gid.Low == 0) || (Gid.IsIPv4 && Gid.IPv4 == 0);

    public static CmAddress Of(ulong high, ulong low, uint port) =>
        new() { Gid = new IbvGid { High = BinaryPrimitives.ReverseEndianness(high), Low = BinaryPrimitives.ReverseEndianness(low) }, Port = (ushort)port };

    /// <summary>False if it is of another family.</summary>
    public static bool TryRead(byte* address, out CmAddress result)
    {
        ushort family = *(ushort*)address;
        result = default;
        if (family is not (Linux.AF_INET or Linux.AF_INET6)) return false;
        result.Port = BinaryPrimitives.ReverseEndianness(*(ushort*)(address + 2));
        result.Gid = family == Linux.AF_INET ? IbvGid.OfIPv4(*(uint*)(address + 4)) : new IbvGid { High = *(ulong*)(address + 8), Low = *(ulong*)(address + 16) };
        return true;
    }

    /// <summary>Into <see cref="Bytes"/> zeroed bytes; nothing for no address.</summary>
    public readonly void Write(byte* target)
    {
        if (Gid.High == 0 && Gid.Low == 0 && Port == 0) return;
        *(ushort*)target = (ushort)(Gid.IsIPv4 ? Linux.AF_INET : Linux.AF_INET6);
        *(ushort*)(target + 2) = BinaryPrimitives.ReverseEndianness(Port);
        if (Gid.IsIPv4) { *(uint*)(target + 4) = Gid.IPv4; return; }
        *(ulong*)(target + 8) = Gid.High;
        *(ulong*)(target + 16) = Gid.Low;
    }

    /// <summary>
    /// A socket that the kernel's routes have given the own address for a way to a peer; −1 with its errno if there is none. A source may be asked for.
    /// </summary>
    /// <param name="peer">The peer's struct sockaddr.</param>
    /// <param name="source">The source, or any.</param>
    /// <param name="own">The address; its port is the source's.</param>
    public static int Route(byte* peer, in CmAddress source, out CmAddress own)
    {
        const int datagram = 2;
        const ushort discard = 0x0900; // any port will do
        own = source;
        byte* to = stackalloc byte[Bytes], from = stackalloc byte[Bytes];
        new System.Span<byte>(peer, Bytes).CopyTo(new System.Span<byte>(to, Bytes));
        bool isIPv4 = *(ushort*)to == Linux.AF_INET;
        if (*(ushort*)(to + 2) == 0) *(ushort*)(to + 2) = discard;
        int socket = source.IsAny ? Process.Libc->socket(*(ushort*)to, datagram | Linux.SOCK_CLOEXEC, 0) : QueuePairConnection.Prove(source.Gid);
        if (socket < 0) return -1;
        uint length = Bytes;
        if (Process.Libc->connect(socket, to, (uint)(isIPv4 ? IPv4Bytes : Bytes)) == 0 && Process.Libc->getsockname(socket, from, &length) == 0 && TryRead(from, out CmAddress found))
        {
            own.Gid = found.Gid;
            return socket;
        }
        int errno = Process.Errno;
        Process.Libc->close(socket);
        Process.Errno = errno;
        return -1;
    }

    /// <summary>True if the virtual device has the address: no loopback.</summary>
    public static bool IsOurs(in IbvGid gid)
    {
        if (Gids.IndexOf(gid) < 0) _ = VerbsSession.Open(); // which reads the addresses again
        return Gids.IndexOf(gid) >= 0;
    }
}
