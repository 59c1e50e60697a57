using System;
using System.Buffers.Binary;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>
/// Which IPv4 addresses a network namespace has, asked through a socket of it: the kernel answers for the socket's namespace, whatever the process that made it has done to it. That a socket
/// is bound to an address says less: IP_FREEBIND (ip(7)) binds it to any.
/// </summary>
internal static unsafe class NetworkAddresses
{
    private const nuint SIOCGIFCONF = 0x8912;
    private const int EntryBytes = 40, MostEntries = 1024;

    /// <summary>Of each thread that asks.</summary>
    [ThreadStatic] private static byte[]? s_list;

    /// <summary>False if it has not, or cannot be asked.</summary>
    public static bool HasIPv4(int socket, InternetAddress address)
    {
        byte[] list = s_list ??= new byte[MostEntries * EntryBytes];
        fixed (byte* first = list)
        {
            // struct ifconf { int length; struct ifreq *list }; struct ifreq { char name[16]; struct sockaddr_in }.
            long* request = stackalloc long[2] { list.Length, (long)first };
            if (Libc.ioctl(socket, SIOCGIFCONF, (nint)request) != 0) return false;
            int length = Math.Clamp((int)request[0], 0, list.Length);
            for (int at = 0; at + EntryBytes <= length; at += EntryBytes)
                if (BinaryPrimitives.ReadUInt32BigEndian(list.AsSpan(at + 20)) == address.IPv4) return true;
        }
        return false;
    }
}
