using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Pairing;

/// <summary>A program's own socket, once more, for a moment (pidfd_getfd(2)); needs the right to trace the program.</summary>
/// <param name="process">Who has it.</param>
/// <param name="number">Its number there, most likely; −1 if unknown.</param>
/// <param name="name">Which one it is.</param>
internal sealed class BorrowedSocket(int process, int number, SocketName name)
{
    private const int MostRelatives = 64;

    private int _number = number;

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

    /// <summary>Closes what was taken. If the program has closed it meanwhile, that may wait for as long as the program has asked for (SO_LINGER).</summary>
    public static void GiveBack(int socket) => ForeignDescriptors.CloseBorrowed(socket);

    private int TakeFrom(int relative)
    {
        int handle = (int)Libc.syscall(Libc.SYS_pidfd_open, relative, 0, 0);
        if (handle < 0) return -1;
        int socket = OpenDescriptors.IsSocket(relative, _number, name.Inode) ? Take(handle, _number) : -1;
        if (socket < 0 && OpenDescriptors.FindSocket(relative, name.Inode) is var other and >= 0) socket = Take(handle, _number = other);
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
        GiveBack(socket);
        return -1;
    }
}
