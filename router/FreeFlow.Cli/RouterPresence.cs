using System.IO;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary>Whether a router listens at a socket, without a word to it.</summary>
internal static class RouterPresence
{
    /// <summary>What is wrong and what mends it, in one line; null if a router is there, or too busy to take another connection at once.</summary>
    public static string? Problem(string path)
    {
        int router = SeqPacket.Connect(path, Libc.SOCK_NONBLOCK);
        if (router >= 0)
        {
            Libc.close(router);
            return null;
        }
        int error = Errno.Last;
        string reason = Errno.LastText;
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        return error switch
        {
            Errno.EAGAIN => null,
            Errno.ENOENT when !Directory.Exists(folder) =>
                $"no router at {path}: its folder is missing; start freeflow-router, or give the container the host's folder (-v /run/freeflow:/run/freeflow:ro)",
            Errno.ENOENT => $"no router at {path}: start freeflow-router, or name its socket with --router or FREEFLOW_SOCKET",
            Errno.ECONNREFUSED => $"no router answers at {path}: start freeflow-router again (systemctl restart freeflow-router)",
            Errno.EACCES => $"{path} may not be reached by this user: open its folder to them (chmod 755 {folder})",
            _ => $"{path} is no router's socket ({reason}): name it with --router or FREEFLOW_SOCKET",
        };
    }
}
