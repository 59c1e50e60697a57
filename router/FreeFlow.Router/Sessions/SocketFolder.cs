using System;
using System.IO;
using System.Runtime.InteropServices;
using FreeFlow.Native;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Whether the router's socket can only be the router's. Programs show their connections to whoever answers there, so nobody but root and the router's own user may be able to put another
/// socket in its place: not in its folder, and not by replacing a folder above it.
/// </summary>
internal static class SocketFolder
{
    private const uint Sticky = 0x200, GroupMayWrite = 0x10, OthersMayWrite = 0x02;

    /// <summary>What a user namespace shows for the owners that it does not know (user_namespaces(7)): the host's, for the folders above.</summary>
    private const uint UnknownOwner = 65534;

    private static readonly uint s_user = Libc.geteuid(), s_group = Libc.getegid();

    /// <summary>Throws <see cref="RouterException"/> with one line about the first folder on the way to <paramref name="path"/> that others can change.</summary>
    public static void Check(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        CheckUpwards(path, folder);
        // Where one of them is a symbolic link, the folders above its target count as well.
        if (Resolve(folder) is { } real && real != folder) CheckUpwards(path, real);
    }

    /// <summary>What is wrong with a folder of this owner and mode; null if nothing is.</summary>
    /// <param name="status">As stat(2) tells it.</param>
    /// <param name="holdsTheSocket">False for a folder above that one.</param>
    /// <param name="user">Whom the router runs as.</param>
    /// <param name="group">Its group.</param>
    public static string? ProblemOf(in FileStatus status, bool holdsTheSocket, uint user, uint group)
    {
        bool isTrusted = status.UserId == 0 || status.UserId == user || (!holdsTheSocket && status.UserId == UnknownOwner && user != UnknownOwner);
        if (!isTrusted) return $"it belongs to user {status.UserId}; chown it to root";
        // In a sticky folder others can add files, but not rename or remove those of the router (inode(7)).
        if ((status.Mode & Sticky) != 0) return null;
        bool byGroup = (status.Mode & GroupMayWrite) != 0 && status.GroupId != 0 && status.GroupId != group;
        if ((status.Mode & OthersMayWrite) == 0 && !byGroup) return null;
        return $"its mode is {Convert.ToString(status.Mode & 0xfff, 8)}{(byGroup ? $" and its group {status.GroupId}" : "")}; chmod it to 755";
    }

    private static unsafe string? Resolve(string folder)
    {
        byte* resolved = stackalloc byte[Libc.PATH_MAX];
        return Libc.realpath(folder, resolved) == null ? null : Marshal.PtrToStringUTF8((nint)resolved);
    }

    private static void CheckUpwards(string path, string folder)
    {
        for (string? above = folder; above is not null; above = Path.GetDirectoryName(above))
        {
            if (Libc.stat(above, out FileStatus status) != 0) throw new RouterException($"--socket {path}: {above} cannot be looked at ({Errno.LastText}).");
            if (ProblemOf(status, above == folder, s_user, s_group) is not { } problem) continue;
            throw new RouterException($"--socket {path}: others could put a socket of theirs in the router's place, because they can change {above}: {problem}, or choose another folder.");
        }
    }
}
