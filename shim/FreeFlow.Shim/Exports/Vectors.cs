using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Exports;

/// <summary>What readv(2) demands of its vectors; whatever fails it goes to the kernel, which has the right errno.</summary>
internal static unsafe class Vectors
{
    /// <summary>IOV_MAX.</summary>
    public const int Maximum = 1024;

    /// <summary>What one call moves at most (read(2)).</summary>
    public const nuint MostBytes = 0x7ffff000;

    /// <summary>For preadv2(2) and pwritev2(2): true if the flags mean nothing to a socket, or only that the call must not wait, and there is something to move.</summary>
    public static bool AreValidWithFlags(IoVector* vectors, int count, int flags) =>
        (flags & ~(Linux.RWF_HIPRI | Linux.RWF_DSYNC | Linux.RWF_SYNC | Linux.RWF_NOWAIT)) == 0 && AreValid(vectors, count) && Memory.VectorCursor.Total(vectors, (nuint)count) != 0;

    public static bool AreValid(IoVector* vectors, int count)
    {
        if (count is < 0 or > Maximum || !Process.CanRead(vectors, (nuint)count * (nuint)sizeof(IoVector))) return false;
        nuint total = 0;
        for (int i = 0; i < count; i++)
        {
            total += vectors[i].Length;
            if (vectors[i].Length > (nuint)nint.MaxValue || total > (nuint)nint.MaxValue) return false;
        }
        return true;
    }
}
