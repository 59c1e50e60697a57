using System;
using System.Globalization;
using System.Text;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// What a program has open, as /proc/PID/fd lists it (proc(5)). Only names are read: a look at what they stand for, as .NET's own enumeration takes it, may wait for a server of the program's own (FUSE).
/// </summary>
internal static unsafe class OpenDescriptors
{
    private const int ListBytes = 8192, TargetBytes = 64;

    /// <summary>struct linux_dirent64: where the record's length and the name are.</summary>
    private const int LengthOffset = 16, NameOffset = 19;

    /// <summary>The number of the socket with this inode, or −1: there is none, or the program is gone or not to be looked at.</summary>
    public static int FindSocket(int process, ulong inode)
    {
        int folder = Libc.open($"/proc/{process}/fd", Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
        if (folder < 0) return -1;
        ReadOnlySpan<byte> wanted = Encoding.ASCII.GetBytes($"socket:[{inode}]");
        byte* list = stackalloc byte[ListBytes], target = stackalloc byte[TargetBytes];
        int found = -1;
        while (found < 0 && (int)Libc.syscall(Libc.SYS_getdents64, folder, (nint)list, ListBytes) is var bytes and > 0)
        {
            for (int at = 0; at < bytes && found < 0; at += *(ushort*)(list + at + LengthOffset))
            {
                byte* name = list + at + NameOffset;
                nint length = Libc.readlinkat(folder, name, target, TargetBytes);
                if (length > 0 && new ReadOnlySpan<byte>(target, (int)length).SequenceEqual(wanted)) found = int.Parse(new ReadOnlySpan<byte>(name, Length(name)), CultureInfo.InvariantCulture);
            }
        }
        Libc.close(folder);
        return found;
    }

    private static int Length(byte* text)
    {
        int length = 0;
        while (text[length] != 0) length++;
        return length;
    }
}
