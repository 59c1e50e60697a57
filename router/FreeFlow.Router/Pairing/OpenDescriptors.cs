using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
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

    /// <summary>"socket:[", before the inode's digits and "]".</summary>
    private static ReadOnlySpan<byte> SocketPrefix => "socket:["u8;

    /// <summary>The number of the socket with this inode, or −1: there is none, or the program is gone or not to be looked at.</summary>
    /// <param name="process">The program.</param>
    /// <param name="inode">The socket's.</param>
    /// <param name="left">How many names may still be read; none are read at 0.</param>
    public static int FindSocket(int process, ulong inode, ref int left)
    {
        int found = -1, budget = left;
        if (left > 0) List(process, (number, other) => (found = other == inode ? number : -1) < 0 && --budget > 0);
        left = budget;
        return found;
    }

    /// <summary>True if that number is that socket, now.</summary>
    public static bool IsSocket(int process, int number, ulong inode)
    {
        byte* target = stackalloc byte[TargetBytes];
        return number >= 0 && Open(process) is var folder and >= 0 && InodeOf(ReadAndClose(folder, number, target)) == inode;
    }

    /// <summary>True if that number is something of this name, of at most <see cref="TargetBytes"/>, now.</summary>
    public static bool IsNamed(int process, int number, ReadOnlySpan<byte> expected)
    {
        byte* target = stackalloc byte[TargetBytes];
        return number >= 0 && Open(process) is var folder and >= 0 && ReadAndClose(folder, number, target).SequenceEqual(expected);
    }

    /// <summary>The numbers of all its sockets, by their inodes; empty if it is gone or not to be looked at.</summary>
    public static Dictionary<ulong, int> Sockets(int process)
    {
        Dictionary<ulong, int> sockets = [];
        List(process, (number, inode) =>
        {
            if (inode != 0) sockets[inode] = number;
            return true;
        });
        return sockets;
    }

    /// <summary>Numbers and inodes (0: no socket), until <paramref name="goesOn"/> says no.</summary>
    private static void List(int process, Func<int, ulong, bool> goesOn)
    {
        int folder = Open(process);
        if (folder < 0) return;
        byte* list = stackalloc byte[ListBytes], target = stackalloc byte[TargetBytes];
        bool more = true;
        while (more && (int)Libc.syscall(Libc.SYS_getdents64, folder, (nint)list, ListBytes) is var bytes and > 0)
        {
            for (int at = 0; more && at < bytes; at += *(ushort*)(list + at + LengthOffset))
            {
                byte* name = list + at + NameOffset;
                // "." and ".." are no numbers.
                if (int.TryParse(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name), CultureInfo.InvariantCulture, out int number)) more = goesOn(number, InodeOf(Read(folder, name, target)));
            }
        }
        Libc.close(folder);
    }

    private static int Open(int process) => Libc.open($"/proc/{process}/fd", Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC);

    private static ReadOnlySpan<byte> ReadAndClose(int folder, int number, byte* target)
    {
        byte* name = stackalloc byte[16];
        _ = number.TryFormat(new Span<byte>(name, 15), out int length, provider: CultureInfo.InvariantCulture);
        name[length] = 0;
        ReadOnlySpan<byte> text = Read(folder, name, target);
        Libc.close(folder);
        return text;
    }

    /// <summary>What the descriptor of that name stands for, in <paramref name="target"/>; empty if there is none.</summary>
    private static ReadOnlySpan<byte> Read(int folder, byte* name, byte* target) => new(target, (int)Math.Max(Libc.readlinkat(folder, name, target, TargetBytes), 0));

    /// <summary>0 if it is no socket.</summary>
    private static ulong InodeOf(ReadOnlySpan<byte> text) =>
        text.StartsWith(SocketPrefix) && ulong.TryParse(text[SocketPrefix.Length..^1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? inode : 0;
}
