using System.Runtime.InteropServices;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// Names the memory behind a memfd without holding it: the kernel's handle of its inode (name_to_handle_at(2)). Opening it fails with ESTALE exactly when nobody has the memory any more, neither as a
/// descriptor, nor mapped, nor on the way in a message. Needs CAP_DAC_READ_SEARCH. Any thread.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MemoryHandle
{
    /// <summary>tmpfs takes 12 (linux/mm/shmem.c).</summary>
    private const int MostBytes = 16;

    // A descriptor of memfd's own mount, by which handles are opened. It goes with the process.
    private static readonly int s_mount = Libc.memfd_create("freeflow-mount", Libc.MFD_CLOEXEC);

    /// <summary>struct file_handle.</summary>
    private uint _bytes;
    private int _type;
    private fixed byte _handle[MostBytes];

    /// <summary>False if this router has not the right, or the kernel not the means, to see who holds memory.</summary>
    public static bool IsToBeHad { get; } = TryOf(s_mount, out MemoryHandle own) && own.IsHeld;

    /// <summary>False if the kernel has no handle for it.</summary>
    public static bool TryOf(int memory, out MemoryHandle handle)
    {
        handle = new MemoryHandle { _bytes = MostBytes };
        int mount;
        fixed (MemoryHandle* target = &handle) return Libc.name_to_handle_at(memory, "", target, &mount, Libc.AT_EMPTY_PATH) == 0;
    }

    /// <summary>True while somebody has the memory; also if the kernel would not say.</summary>
    public bool IsHeld
    {
        get
        {
            int look;
            fixed (MemoryHandle* self = &this) look = Libc.open_by_handle_at(s_mount, self, Libc.O_PATH | Libc.O_CLOEXEC);
            if (look < 0) return Errno.Last != Errno.ESTALE && IsToBeHad;
            Libc.close(look);
            return true;
        }
    }
}
