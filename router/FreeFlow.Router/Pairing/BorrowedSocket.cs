using System;
using System.Globalization;
using System.IO;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>A program's own socket, once more, for a moment (pidfd_getfd(2)); needs the right to trace the program.</summary>
/// <param name="process">Who has it.</param>
/// <param name="number">Its number there, most likely.</param>
/// <param name="facts">What the kernel has said of it.</param>
internal sealed class BorrowedSocket(int process, int number, SocketFacts facts)
{
    /// <summary>A descriptor of the socket, the caller's to close at once, or −1 if the process has it no more.</summary>
    public int Take()
    {
        int handle = (int)Libc.syscall(Libc.SYS_pidfd_open, process, 0, 0);
        if (handle < 0) return -1;
        int socket = Take(handle, number);
        if (socket < 0 && Find() is var other and >= 0) socket = Take(handle, other);
        Libc.close(handle);
        return socket;
    }

    /// <summary>The number may stand for something else by now.</summary>
    private int Take(int handle, int descriptor)
    {
        int socket = (int)Libc.syscall(Libc.SYS_pidfd_getfd, handle, descriptor, 0);
        if (socket < 0 || (SocketOptions.TryGet(socket, Libc.SO_COOKIE, out ulong cookie) && cookie == facts.Cookie)) return socket;
        Libc.close(socket);
        return -1;
    }

    private int Find()
    {
        string wanted = $"socket:[{facts.Inode}]";
        try
        {
            foreach (FileSystemInfo entry in new DirectoryInfo($"/proc/{process}/fd").EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget == wanted) return int.Parse(entry.Name, CultureInfo.InvariantCulture);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { } // it is gone, or not to be looked at
        return -1;
    }
}
