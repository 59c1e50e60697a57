using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using FreeFlow.Native;

namespace FreeFlow.Hunter.Sources;

/// <summary>Finds network namespaces without entering them: the inode number tells one from another (namespaces(7)).</summary>
internal static class NamespaceList
{
    private static readonly string[] Folders = ["/run/netns", "/run/docker/netns"];

    /// <summary>Each namespace once, by any of its names, without our own.</summary>
    public static Dictionary<ulong, string> Find()
    {
        Dictionary<ulong, string> found = [];
        foreach (string folder in Folders)
        {
            if (!Directory.Exists(folder)) continue;
            foreach (string path in Directory.EnumerateFiles(folder))
            {
                if (Libc.stat(path, out FileStatus status) == 0) found.TryAdd(status.Inode, path);
            }
        }
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(folder["/proc/".Length])) continue;
            string path = folder + "/ns/net";
            if (Inode(path) is { } inode) found.TryAdd(inode, path);
        }
        if (Inode("/proc/self/ns/net") is { } own) found.Remove(own);
        if (Inode("/proc/1/ns/net") is { } host) found.Remove(host);
        return found;
    }

    // "net:[4026531840]"
    private static ulong? Inode(string path)
    {
        try
        {
            string? target = new FileInfo(path).LinkTarget;
            return target is not null && target.StartsWith("net:[", StringComparison.Ordinal)
                && ulong.TryParse(target.AsSpan(5, target.Length - 6), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? inode : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The process has ended, or is none of ours.
            return null;
        }
    }
}
