using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>What proc_pid_maps(5) says of a range of this process's memory.</summary>
internal static unsafe class MemoryMap
{
    private const int BufferBytes = 1 << 16;

    /// <summary>True if all of it is private and writable memory in ordinary pages, which can be moved: neither shared, read-only, huge, nor a stack.</summary>
    public static bool IsMovable(byte* start, nuint bytes) => IsCovered(start, bytes, 0);

    /// <summary>True if all of it is shared memory of one of these two files still: a program may have unmapped it and put something else there.</summary>
    public static bool IsOf(byte* start, nuint bytes, ulong inode, ulong otherInode) => IsCovered(start, bytes, inode == 0 ? otherInode : inode, otherInode == 0 ? inode : otherInode);

    private static bool IsCovered(byte* start, nuint bytes, ulong inode, ulong otherInode = 0)
    {
        byte* buffer = Pages.Allocate(BufferBytes);
        if (buffer == null) return false;
        int errno = Process.Errno, fd;
        fixed (byte* path = "/proc/self/maps\0"u8) fd = Process.Libc->open(path, Linux.O_RDONLY);
        bool covered = fd >= 0 && Walk(fd, buffer, (nuint)start, (nuint)start + bytes, inode, otherInode);
        if (fd >= 0) Process.Libc->close(fd);
        Process.Errno = errno;
        Pages.Free(buffer, BufferBytes);
        return covered;
    }

    private static bool Walk(int fd, byte* buffer, nuint at, nuint end, ulong inode, ulong otherInode)
    {
        int held = 0;
        while (at < end)
        {
            nint got = Process.Libc->read(fd, buffer + held, (nuint)(BufferBytes - held));
            if (got <= 0) return false;
            held += (int)got;
            int line = 0;
            for (int i = 0; i < held && at < end; i++)
            {
                if (buffer[i] != '\n') continue;
                nuint first = Hexadecimal(buffer, ref line), behind = Hexadecimal(buffer, ref line);
                if (behind > at && (first > at || !IsWanted(buffer + line, buffer + i, inode, otherInode))) return false;
                if (behind > at) at = behind;
                line = i + 1;
            }
            held -= line;
            for (int i = 0; i < held; i++) buffer[i] = buffer[line + i];
        }
        return true;
    }

    // "rw-p offset device inode path"
    private static bool IsWanted(byte* text, byte* end, ulong inode, ulong otherInode)
    {
        if (text + 4 >= end || text[0] != 'r' || text[1] != 'w') return false;
        byte* path = text;
        ulong seen = 0;
        for (int field = 0; field < 3; field++) { while (path < end && *path != ' ') path++; path++; }
        while (path < end && *path is >= (byte)'0' and <= (byte)'9') seen = (seen * 10) + (ulong)(*path++ - '0');
        if (inode != 0) return text[3] == 's' && (seen == inode || seen == otherInode);
        while (path < end && *path == ' ') path++;
        bool isStack = path + 6 < end && path[0] == '[' && path[1] == 's' && path[2] == 't';
        bool isHuge = path + 8 < end && path[0] == '/' && path[1] == 'a' && path[2] == 'n' && path[3] == 'o' && path[4] == 'n' && path[5] == '_';
        return text[3] == 'p' && !isStack && !isHuge;
    }

    private static nuint Hexadecimal(byte* text, ref int at)
    {
        nuint value = 0;
        for (; text[at] is not ((byte)'-' or (byte)' '); at++) value = (value << 4) | (uint)(text[at] <= '9' ? text[at] - '0' : text[at] - 'a' + 10);
        at++;
        return value;
    }
}
