using System;
using System.Collections.Generic;
using System.IO;
using FreeFlow.Locations;
using FreeFlow.Native;

namespace FreeFlow.Hunter.Sources;

/// <summary>Enters namespaces and reads their own addresses. One thread's object: setns(2) moves the thread.</summary>
internal sealed class NamespaceReader
{
    // ioctl_ns(2)
    private const nuint NS_GET_USERNS = 0xb701;
    private readonly ulong _ownUserNamespace = Libc.stat("/proc/self/ns/user", out FileStatus status) == 0 ? status.Inode : 0;

    /// <summary>Null: namespaces can be entered.</summary>
    public string? Problem { get; private set; }

    /// <summary>Addresses of one namespace; none if it has gone meanwhile, or is somebody else's.</summary>
    public IReadOnlyList<Address> Read(ulong inode, string path)
    {
        int fd = Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC);
        if (fd < 0) return [];
        try
        {
            // A path under /proc may name another process by now.
            if (Libc.fstat(fd, out FileStatus status) != 0 || status.Inode != inode || !IsOurs(fd)) return [];
            if (Libc.setns(fd, Libc.CLONE_NEWNET) != 0)
            {
                Problem = $"setns: errno {Errno.Last} (root and CAP_SYS_ADMIN are needed)";
                return [];
            }
            Problem = null;
            return NamespaceAddresses.Parse(File.ReadAllText("/proc/thread-self/net/fib_trie"), ReadSix());
        }
        catch (IOException)
        {
            return [];
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    // A kernel without IPv6 has no such file.
    private static string ReadSix() => File.Exists("/proc/thread-self/net/if_inet6") ? File.ReadAllText("/proc/thread-self/net/if_inet6") : "";

    private bool IsOurs(int fd)
    {
        int owner = Libc.ioctl(fd, NS_GET_USERNS, 0);
        if (owner < 0) return false;
        bool ours = Libc.fstat(owner, out FileStatus status) == 0 && status.Inode == _ownUserNamespace;
        _ = Libc.close(owner);
        return ours;
    }
}
