using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// Whether a program sleeps, until something happens on a socket, in a system call that it has not made by libc: in assembly, or by a library that is linked statically. The shim has
/// seen nothing of it. Read from /proc (proc(5): syscall, maps, fdinfo, mem), which needs the right to trace the program; takes no lock, and may take milliseconds.
/// </summary>
internal static unsafe class UnseenWaits
{
    private const int MostThreads = 512, MostPolled = 65536, MostNested = 4, PollBytes = 8;
    private const uint Input = 0x41, Output = 0x104;   // POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM; EPOLL's are the same

    private static ReadOnlySpan<byte> EpollName => "anon_inode:[eventpoll]"u8;

    /// <summary>What of a program's memory makes system calls for others, by the file it comes from.</summary>
    private static readonly string[] s_seen = ["libc.so.6", "libc-2.", "ld-linux", "libpthread", "libfreeflow"];

    /// <summary>True if a thread of the process sleeps so, and waits for this socket's input; or, with <paramref name="room"/>, for an edge that tells of room.</summary>
    public static bool AreThere(int process, ulong inode, bool room)
    {
        try
        {
            Lazy<List<(ulong Start, ulong End)>> seen = new(() => SeenCode(process));
            return Directory.EnumerateDirectories($"/proc/{process}/task").Take(MostThreads)
                .Select(thread => SleepingCall.Parse(File.ReadAllText($"{thread}/syscall")))
                .Any(call => call is { } known && Concerns(process, known, inode, room) && !seen.Value.Exists(code => known.Instruction >= code.Start && known.Instruction < code.End));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return false; } // it, or a thread of it, is gone, or not to be looked at
    }

    private static List<(ulong Start, ulong End)> SeenCode(int process)
    {
        List<(ulong, ulong)> code = [];
        // "from-to r-xp offset device inode name"
        foreach (string[] fields in File.ReadLines($"/proc/{process}/maps").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (fields.Length < 6 || !fields[1].Contains('x') || !Array.Exists(s_seen, name => Path.GetFileName(fields[5]).StartsWith(name, StringComparison.Ordinal))) continue;
            int dash = fields[0].IndexOf('-', StringComparison.Ordinal);
            code.Add((Hexadecimal(fields[0].AsSpan(0, dash)), Hexadecimal(fields[0].AsSpan(dash + 1))));
        }
        return code;
    }

    private static bool Concerns(int process, in SleepingCall call, ulong inode, bool room) => call.Kind switch
    {
        SleepingCallKind.Receive => !room && OpenDescriptors.IsSocket(process, (int)call.First, inode),
        SleepingCallKind.Poll => !room && IsPolled(process, call, inode),
        SleepingCallKind.Select => !room && IsSelected(process, call, inode),
        SleepingCallKind.Epoll => IsInSet(process, (int)call.First, inode, room, MostNested),
        _ => false,
    };

    private static bool IsPolled(int process, in SleepingCall call, ulong inode)
    {
        byte[] list = Memory(process, call.Second, (int)Math.Min(call.Third, MostPolled) * PollBytes);
        for (int at = 0; at + PollBytes <= list.Length; at += PollBytes)
        {
            if ((BitConverter.ToUInt16(list, at + sizeof(int)) & Input) != 0 && OpenDescriptors.IsSocket(process, BitConverter.ToInt32(list, at), inode)) return true;
        }
        return false;
    }

    private static bool IsSelected(int process, in SleepingCall call, ulong inode)
    {
        byte[] set = Memory(process, call.Second, (int)(Math.Min(call.First, MostPolled) + 7) / 8);
        for (int number = 0; number < set.Length * 8; number++)
        {
            if ((set[number / 8] & (1 << (number % 8))) != 0 && OpenDescriptors.IsSocket(process, number, inode)) return true;
        }
        return false;
    }

    /// <summary>A line of a set's fdinfo: "tfd: 5 events: 80000019 data: 5 pos:0 ino:1f3 sdev:8", numbers behind tfd hexadecimal.</summary>
    private static bool IsInSet(int process, int set, ulong inode, bool room, int depth)
    {
        foreach (string[] fields in File.ReadLines($"/proc/{process}/fdinfo/{set}").Where(line => line.StartsWith("tfd:", StringComparison.Ordinal))
            .Select(line => line.Replace(":", ": ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            int number = int.Parse(fields[1], CultureInfo.InvariantCulture);
            uint events = (uint)Hexadecimal(fields[3]);
            bool wanted = (events & (room ? Output : Input)) != 0 && (!room || (events & Libc.EPOLLET) != 0);
            if (wanted && Hexadecimal(fields[9]) == inode && OpenDescriptors.IsSocket(process, number, inode)) return true;
            // What is no file has one inode for all of its kind.
            if (depth > 0 && (events & Input) != 0 && OpenDescriptors.IsNamed(process, number, EpollName) && IsInSet(process, number, inode, room, depth - 1)) return true;
        }
        return false;
    }

    /// <summary>What of these bytes of the program's memory can be read.</summary>
    private static byte[] Memory(int process, ulong address, int bytes)
    {
        byte[] content = new byte[bytes];
        int memory = Libc.open($"/proc/{process}/mem", Libc.O_RDONLY | Libc.O_CLOEXEC);
        if (memory < 0) return [];
        nint got;
        fixed (byte* target = content) got = address > long.MaxValue ? 0 : Libc.pread(memory, target, (nuint)bytes, (long)address);
        Libc.close(memory);
        return got <= 0 ? [] : content[..(int)got];
    }

    private static ulong Hexadecimal(ReadOnlySpan<char> digits) => ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
