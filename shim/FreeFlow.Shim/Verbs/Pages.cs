using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Memory by system calls that nobody sees: programs for RDMA (UCX, Open MPI) patch libc's mmap, munmap, mremap and madvise, and would find themselves called from inside a
/// registration. Also where the objects lie: a page or more each, zeroed.
/// </summary>
internal static unsafe class Pages
{
    public const nuint Bytes = 4096;

    private const int SysMmap = 9, SysMprotect = 10, SysMunmap = 11, SysMremap = 25, MayMoveFixed = 3;

    /// <summary>The address or null.</summary>
    public static byte* Map(void* address, nuint bytes, int protection, int flags, int fd, nuint offset)
    {
        nint result = Process.Kernel(SysMmap, (nint)address, (nint)bytes, protection, flags, fd, (nint)offset);
        return result is < 0 and > -4096 ? null : (byte*)result;
    }

    public static void Unmap(void* address, nuint bytes) => Process.Kernel(SysMunmap, (nint)address, (nint)bytes, 0, 0, 0, 0);

    public static bool Protect(void* address, nuint bytes, int protection) => Process.Kernel(SysMprotect, (nint)address, (nint)bytes, protection, 0, 0, 0) == 0;

    /// <summary>Puts the pages at <paramref name="from"/> in the place of those at <paramref name="to"/>, in one step.</summary>
    public static bool Replace(void* to, void* from, nuint bytes) => Process.Kernel(SysMremap, (nint)from, (nint)bytes, (nint)bytes, MayMoveFixed, (nint)to, 0) == (nint)to;

    /// <summary>Private zeroed memory, or null.</summary>
    public static byte* Allocate(nuint bytes) =>
        Map(null, RoundUp(bytes), Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS | Linux.MAP_NORESERVE, -1, 0);

    public static void Free(void* address, nuint bytes)
    {
        if (address != null) Unmap(address, RoundUp(bytes));
    }

    public static nuint RoundUp(nuint bytes) => (bytes + Bytes - 1) & ~(Bytes - 1);
}
