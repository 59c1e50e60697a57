using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>A program's own socket, once more, for a moment (pidfd_getfd(2)); needs the right to trace the program.</summary>
/// <param name="process">Who has it.</param>
/// <param name="number">Its number there, most likely; −1 if unknown.</param>
/// <param name="name">Which one it is.</param>
internal sealed class BorrowedSocket(int process, int number, SocketName name)
{
    private const int MostRelatives = 64;

    /// <summary>A descriptor of the socket, the caller's to close at once, or −1 if neither the process nor what it has forked has it.</summary>
    public int Take()
    {
        List<int> relatives = [process];
        for (int next = 0; next < relatives.Count; next++)
        {
            int socket = TakeFrom(relatives[next]);
            if (socket >= 0) return socket;
            foreach (int child in ChildrenOf(relatives[next])) if (relatives.Count < MostRelatives) relatives.Add(child);
        }
        return -1;
    }

    /// <summary>The same from the process alone: what it has forked may have sockets that were never its own.</summary>
    public int TakeFromItself() => TakeFrom(process);

    private int TakeFrom(int relative)
    {
        int handle = (int)Libc.syscall(Libc.SYS_pidfd_open, relative, 0, 0);
        if (handle < 0) return -1;
        int socket = Take(handle, number);
        if (socket < 0 && Find(relative) is var other and >= 0) socket = Take(handle, other);
        Libc.close(handle);
        return socket;
    }

    /// <summary>None where the kernel does not say (CONFIG_PROC_CHILDREN).</summary>
    private static List<int> ChildrenOf(int relative)
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{relative}/task").SelectMany(thread => File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return []; }
    }

    /// <summary>The number may stand for something else by now.</summary>
    private int Take(int handle, int descriptor)
    {
        int socket = (int)Libc.syscall(Libc.SYS_pidfd_getfd, handle, descriptor, 0);
        if (socket < 0 || name.IsThatOf(socket)) return socket;
        Libc.close(socket);
        return -1;
    }

    private int Find(int relative)
    {
        string wanted = $"socket:[{name.Inode}]";
        try
        {
            foreach (FileSystemInfo entry in new DirectoryInfo($"/proc/{relative}/fd").EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget == wanted) return int.Parse(entry.Name, CultureInfo.InvariantCulture);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { } // it is gone, or not to be looked at
        return -1;
    }
}
