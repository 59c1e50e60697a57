using System;
using System.Globalization;
using System.IO;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>A program's own socket, once more, for a moment (pidfd_getfd(2)); needs the right to trace the program.</summary>
internal static class BorrowedSocket
{
    /// <summary>A descriptor of the socket, the caller's to close at once, or −1 if the process has it no more.</summary>
    public static int Take(int process, SocketFacts facts)
    {
        if (facts.Inode == 0) return -1;
        int handle = (int)Libc.syscall(Libc.SYS_pidfd_open, process, 0, 0);
        if (handle < 0) return -1;
        int number = Find(process, facts.Inode);
        int socket = number < 0 ? -1 : (int)Libc.syscall(Libc.SYS_pidfd_getfd, handle, number, 0);
        Libc.close(handle);
        // The number may stand for something else since.
        if (socket < 0 || (SocketOptions.TryGet(socket, Libc.SO_COOKIE, out ulong cookie) && cookie == facts.Cookie)) return socket;
        Libc.close(socket);
        return -1;
    }

    private static int Find(int process, ulong inode)
    {
        string wanted = $"socket:[{inode}]";
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
