using System;

namespace FreeFlow.Native;

/// <summary>memfds whose size can never change again.</summary>
public static unsafe class SealedMemory
{
    /// <summary>Seals that fix size and seals.</summary>
    public const int SizeSeals = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL;

    private static readonly ulong s_device = DeviceOfOne();

    /// <summary>
    /// False for memory of huge pages, which may be short when they are first touched: whoever has mapped them is killed then (SIGBUS), and cannot unmap a part of them.
    /// </summary>
    public static bool IsOfUsualPages(in FileStatus status) => status.Device == s_device;

    private static ulong DeviceOfOne()
    {
        int fd = Libc.memfd_create("device", Libc.MFD_CLOEXEC);
        ulong device = fd >= 0 && Libc.fstat(fd, out FileStatus status) == 0 ? status.Device : 0;
        if (fd >= 0) Libc.close(fd);
        return device;
    }

    /// <summary>A memfd that holds exactly <paramref name="content"/>, read-only for everyone; -1 with errno if it cannot be had.</summary>
    public static int CreateReadOnly(string name, ReadOnlySpan<byte> content)
    {
        int fd = Libc.memfd_create(name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        if (fd < 0) return -1;
        fixed (byte* bytes = content)
        {
            nint written = 0;
            while (written < content.Length)
            {
                nint step = Libc.pwrite(fd, bytes + written, (nuint)(content.Length - written), written);
                if (step <= 0) { Libc.close(fd); return -1; }
                written += step;
            }
        }
        if (Libc.fcntl(fd, Libc.F_ADD_SEALS, SizeSeals | Libc.F_SEAL_WRITE) == 0) return fd;
        Libc.close(fd);
        return -1;
    }
}
