using System;
using System.Runtime.InteropServices;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>
/// Whether who answers at the router's socket can be the host's router. It is asked before anything is shown: whoever is taken for the router gets the program's sockets. Both questions
/// are answered by the kernel: which user listens, and whether that process sits in a pid namespace from which this process is seen. A container's root who has put a socket of his own in
/// the router's place is in a namespace beside this one, or below it.
/// </summary>
internal static unsafe class RouterIdentity
{
    /// <summary>Inode of the kernel's first pid namespace (PROC_PID_INIT_INO), from which every process is seen.</summary>
    private const ulong FirstNamespace = 0xEFFFFFFC;

    private const uint Sticky = 0x200, WritableByOthers = 0x12;
    private const int MaximumLink = 64;

    /// <summary>True if root, this process's own user, or the owner of the socket's folder listens. A folder that others can write says nothing by its owner.</summary>
    public static bool IsTrustedUser(int control, byte* path)
    {
        PeerCredentials peer;
        uint length = (uint)sizeof(PeerCredentials);
        if (Process.Libc->getsockopt(control, Linux.SOL_SOCKET, Linux.SO_PEERCRED, &peer, &length) != 0 || length != sizeof(PeerCredentials)) return false;
        if (peer.UserId == 0 || peer.UserId == (uint)Process.Libc->syscall(Linux.SYS_geteuid, 0, 0, 0, 0, 0)) return true;
        FileStatus folder;
        return TryLookAtFolder(path, &folder) && folder.UserId == peer.UserId && ((folder.Mode & Sticky) != 0 || (folder.Mode & WritableByOthers) == 0);
    }

    /// <summary>True if the descriptor is a pid namespace from which this process is seen: its own or one above it.</summary>
    public static bool IsSeenFrom(int descriptor)
    {
        ulong inode = NamespaceOf(descriptor);
        if (inode == 0) return false;
        if (inode == FirstNamespace) return true;
        int errno = Process.Errno;
        int seenAs = Process.Libc->ioctl(descriptor, Linux.NS_GET_PID_IN_PIDNS, (void*)Process.Id);
        bool hides = seenAs <= 0 && Process.Errno == Linux.ESRCH;
        Process.Errno = errno;
        if (seenAs > 0 || hides) return seenAs > 0;
        // Kernels before 6.11 do not say: they only show whether it is this process's own.
        fixed (byte* own = "/proc/self/ns/pid\0"u8) return inode == ReadLink(own);
    }

    /// <summary>
    /// Inode of the pid namespace that the descriptor is, or 0 if it is anything else. The link's text comes from the kernel alone: any other question might wait for whoever serves a strange file.
    /// </summary>
    private static ulong NamespaceOf(int descriptor)
    {
        byte* path = stackalloc byte[32];
        int length = 0;
        foreach (byte letter in "/proc/self/fd/"u8) path[length++] = letter;
        byte* digits = stackalloc byte[12];
        int count = 0;
        for (int left = descriptor; count == 0 || left > 0; left /= 10) digits[count++] = (byte)('0' + (left % 10));
        while (count > 0) path[length++] = digits[--count];
        path[length] = 0;
        int errno = Process.Errno;
        bool hasProc = Process.Libc->readlink(path, path + 31, 1) >= 0;
        Process.Errno = errno;
        return hasProc ? ReadLink(path) : NamespaceWithoutProc(descriptor);
    }

    /// <summary>Where /proc is not mounted, the file system says that it is a namespace; a strange one may take its time.</summary>
    private static ulong NamespaceWithoutProc(int descriptor)
    {
        ulong* status = stackalloc ulong[18]; // struct statfs begins with the type, struct stat has the inode second
        if (Process.Libc->syscall(Linux.SYS_fstatfs, descriptor, (nint)status, 0, 0, 0) != 0 || status[0] != Linux.NSFS_MAGIC) return 0;
        return Process.Libc->syscall(Linux.SYS_fstat, descriptor, (nint)status, 0, 0, 0) == 0 ? status[1] : 0;
    }

    /// <summary>The number in "pid:[4026531836]"; 0 for a link with another text.</summary>
    private static ulong ReadLink(byte* path)
    {
        byte* text = stackalloc byte[MaximumLink];
        nint length = Process.Libc->readlink(path, text, MaximumLink);
        ReadOnlySpan<byte> prefix = "pid:["u8;
        if (length <= prefix.Length || length == MaximumLink || text[length - 1] != ']') return 0;
        for (int i = 0; i < prefix.Length; i++) if (text[i] != prefix[i]) return 0;
        ulong number = 0;
        for (int i = prefix.Length; i < length - 1; i++)
        {
            if (text[i] is < (byte)'0' or > (byte)'9') return 0;
            number = (number * 10) + (ulong)(text[i] - '0');
        }
        return number;
    }

    private static bool TryLookAtFolder(byte* path, FileStatus* status)
    {
        byte* folder = stackalloc byte[ControlSocket.MaximumPath + 1];
        int length = 0;
        if (path == null) foreach (byte letter in ControlSocket.DefaultPath) folder[length++] = letter;
        else while (path[length] != 0 && length < ControlSocket.MaximumPath) { folder[length] = path[length]; length++; }
        while (length > 0 && folder[length - 1] != '/') length--;
        if (length == 0) folder[length++] = (byte)'.';
        folder[length] = 0;
        return Process.Libc->syscall(Linux.SYS_newfstatat, Linux.AT_FDCWD, (nint)folder, (nint)status, 0, 0) == 0;
    }

    /// <summary>struct ucred.</summary>
    private struct PeerCredentials
    {
        public int ProcessId;
        public uint UserId;
        public uint GroupId;
    }

    /// <summary>struct stat of x86-64, as far as it is used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    private struct FileStatus
    {
        [FieldOffset(24)] public uint Mode;
        [FieldOffset(28)] public uint UserId;
    }
}
