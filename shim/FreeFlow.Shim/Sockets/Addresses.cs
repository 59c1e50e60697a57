using System.Buffers.Binary;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Writes a connection's two addresses into its record, IPv4-mapped ones as IPv4.</summary>
internal static unsafe class Addresses
{
    private const int SockAddrBytes = 128;

    /// <summary>Fills the record from getsockname(2) and getpeername(2); false while the socket is not connected.</summary>
    public static bool Fill(int fd, ConnectionRecord* record)
    {
        byte* local = stackalloc byte[SockAddrBytes];
        byte* remote = stackalloc byte[SockAddrBytes];
        uint length = SockAddrBytes;
        int errno = Process.Errno;
        bool known = Process.Libc->getsockname(fd, local, &length) == 0;
        length = SockAddrBytes;
        known = known && Process.Libc->getpeername(fd, remote, &length) == 0;
        Process.Errno = errno;
        if (!known) return false;
        record->LocalPort = Copy(local, record->LocalAddress);
        record->RemotePort = Copy(remote, record->RemoteAddress);
        record->Family = IsVersion4(local) ? (ushort)Linux.AF_INET : (ushort)Linux.AF_INET6;
        return true;
    }

    /// <summary>True if two descriptors stand for one socket, by the number that the kernel gives every socket once (SO_COOKIE).</summary>
    public static bool IsSame(int fd, int other)
    {
        ulong first = 0, second = 0;
        uint length = sizeof(ulong);
        return Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_COOKIE, &first, &length) == 0
            && Process.Libc->getsockopt(other, Linux.SOL_SOCKET, Linux.SO_COOKIE, &second, &length) == 0 && first == second;
    }

    /// <summary>True if the descriptor still stands for the connection: a vfork child, and raw system calls, may have made it something else.</summary>
    public static bool IsStill(int fd, ConnectionRecord* record)
    {
        byte* address = stackalloc byte[SockAddrBytes];
        uint length = SockAddrBytes;
        int errno = Process.Errno;
        bool same = Process.Libc->getsockname(fd, address, &length) == 0 && Port(address) == record->LocalPort;
        length = SockAddrBytes;
        // A socket whose connection has ended has no peer to name any more.
        if (same && Process.Libc->getpeername(fd, address, &length) == 0) same = Port(address) == record->RemotePort;
        Process.Errno = errno;
        return same;
    }

    /// <summary>True if the remote address is one that VNET_PREFIX wants accelerated; IPv6 always is.</summary>
    public static bool IsInsidePrefix(ConnectionRecord* record)
    {
        if (Settings.PrefixMask == 0 || record->Family != Linux.AF_INET) return true;
        uint address = BinaryPrimitives.ReverseEndianness(*(uint*)record->RemoteAddress);
        return (address & Settings.PrefixMask) == Settings.PrefixAddress;
    }

    /// <summary>True for the families whose SOCK_STREAM sockets are TCP.</summary>
    public static bool IsInternet(int family) => family is Linux.AF_INET or Linux.AF_INET6;

    private static bool IsVersion4(byte* address) =>
        *(ushort*)address == Linux.AF_INET
        || (*(ulong*)(address + 8) == 0 && *(uint*)(address + 16) == 0xffff0000);

    private static ushort Copy(byte* address, byte* target)
    {
        bool version4 = IsVersion4(address);
        byte* source = *(ushort*)address == Linux.AF_INET ? address + 4 : version4 ? address + 20 : address + 8;
        for (int i = 0; i < (version4 ? 4 : 16); i++) target[i] = source[i];
        return Port(address);
    }

    private static ushort Port(byte* address) => BinaryPrimitives.ReverseEndianness(*(ushort*)(address + 2));

    /// <summary>
    /// True if another TCP socket of this process that is not offered is bound to the connection's remote port, on whatever address. Of thousands of sockets most are
    /// offered or joined and have had their turn (the router answers at once): their flags say so, and 64 at a time are passed over.
    /// </summary>
    public static bool IsPeerOwn(ConnectionRecord* record, int except)
    {
        const ulong pending = 0x0101010101010101 * (DescriptorFlags.Candidate | DescriptorFlags.Fresh);
        const int atOnce = 64;
        for (int first = 0; first <= Connections.Highest; first += atOnce)
        {
            ulong* flags = (ulong*)(Process.Flags + first);
            if (((flags[0] | flags[1] | flags[2] | flags[3] | flags[4] | flags[5] | flags[6] | flags[7]) & pending) == 0) continue;
            for (int fd = first; fd < first + atOnce; fd++)
                if (fd != except && (Process.Flags[fd] & (DescriptorFlags.Candidate | DescriptorFlags.Fresh)) != 0 && IsBoundTo(fd, record->RemotePort)) return true;
        }
        return false;
    }

    private static bool IsBoundTo(int fd, ushort port)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && record->State != (uint)Contract.ConnectionState.Kernel) return false;
        byte* address = stackalloc byte[SockAddrBytes];
        uint length = SockAddrBytes;
        return Process.Libc->getsockname(fd, address, &length) == 0 && Port(address) == port;
    }
}
