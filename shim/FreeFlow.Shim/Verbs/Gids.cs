using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// The virtual port's GID table: the container's own addresses as RoCEv2 GIDs, IPv4 first as ::ffff:a.b.c.d, then IPv6. Loopback is not listed: every container has it. Read anew when
/// a device is opened; an entry keeps its place.
/// </summary>
internal static unsafe class Gids
{
    public const int Capacity = 64;

    private const int InterfaceBytes = 40, MostInterfaces = 128, Buffer = 16384;
    private const int SIOCGIFINDEX = 0x8933;

    private static int _count;
    private static Table _table;

    private struct Table { public fixed ulong Gid[2 * Capacity]; public fixed uint Interface[Capacity]; }

    public static int Count => _count;

    /// <summary>False beyond the last entry.</summary>
    public static bool TryGet(int index, out IbvGid gid, out uint interfaceIndex)
    {
        bool exists = (uint)index < (uint)_count;
        gid = exists ? new IbvGid { High = _table.Gid[2 * index], Low = _table.Gid[(2 * index) + 1] } : default;
        interfaceIndex = exists ? _table.Interface[index] : 0;
        return exists;
    }

    /// <summary>−1 if it is none of ours.</summary>
    public static int IndexOf(in IbvGid gid)
    {
        for (int i = 0; i < _count; i++) if (_table.Gid[2 * i] == gid.High && _table.Gid[(2 * i) + 1] == gid.Low) return i;
        return -1;
    }

    /// <summary>Under the session's lock.</summary>
    public static void Refresh()
    {
        byte* buffer = Pages.Allocate(Buffer);
        if (buffer == null) return;
        int errno = Process.Errno;
        AddIPv4(buffer);
        AddIPv6(buffer);
        Process.Errno = errno;
        Pages.Free(buffer, Buffer);
    }

    private static void Add(IbvGid gid, uint interfaceIndex)
    {
        if (_count == Capacity || IndexOf(gid) >= 0) return;
        _table.Gid[2 * _count] = gid.High;
        _table.Gid[(2 * _count) + 1] = gid.Low;
        _table.Interface[_count++] = interfaceIndex;
    }

    // netdevice(7): struct ifconf { int length; struct ifreq *list }, struct ifreq { char name[16]; struct sockaddr_in; }.
    private static void AddIPv4(byte* buffer)
    {
        int fd = Process.Libc->socket(Linux.AF_INET, 2 | Linux.SOCK_CLOEXEC, 0);
        if (fd < 0) return;
        ulong* list = stackalloc ulong[2] { MostInterfaces * InterfaceBytes, (ulong)buffer };
        int bytes = Process.Libc->ioctl(fd, Numbers.SIOCGIFCONF, list) == 0 ? (int)list[0] : 0;
        for (byte* at = buffer; at + InterfaceBytes <= buffer + bytes; at += InterfaceBytes)
        {
            uint address = *(uint*)(at + 20);
            if (*(ushort*)(at + 16) != Linux.AF_INET || (address & 0xff) is 127 or 0) continue;
            uint index = Process.Libc->ioctl(fd, SIOCGIFINDEX, at) == 0 ? *(uint*)(at + 16) : 0;
            Add(IbvGid.OfIPv4(address), index);
        }
        Process.Libc->close(fd);
    }

    // Lines of "address interface prefix scope flags name", all in hexadecimal.
    private static void AddIPv6(byte* buffer)
    {
        int fd;
        fixed (byte* path = "/proc/net/if_inet6\0"u8) fd = Process.Libc->open(path, Linux.O_RDONLY);
        if (fd < 0) return;
        nint length = Process.Libc->pread(fd, buffer, Buffer - 1, 0);
        Process.Libc->close(fd);
        byte* end = buffer + (length > 0 ? length : 0);
        for (byte* line = buffer; line + 44 < end; line++)
        {
            ulong high = Number(line, 16), low = Number(line + 16, 16);
            uint index = (uint)Number(line + 33, 2), scope = (uint)Number(line + 39, 2);
            const uint host = 0x10;
            if (scope != host) Add(new IbvGid { High = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(high), Low = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(low) }, index);
            while (line < end && *line != '\n') line++;
        }
    }

    private static ulong Number(byte* text, int digits)
    {
        ulong value = 0;
        for (int i = 0; i < digits; i++)
        {
            byte letter = text[i];
            value = (value << 4) | (uint)(letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10);
        }
        return value;
    }
}
