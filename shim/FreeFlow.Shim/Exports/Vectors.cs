using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Exports;

/// <summary>struct iovec in the program's memory, checked as import_iovec of the kernel does.</summary>
internal static unsafe class Vectors
{
    /// <summary>IOV_MAX.</summary>
    public const int Maximum = 1024;

    /// <summary>What one call moves at most (read(2)).</summary>
    public const nuint MostBytes = 0x7ffff000;

    /// <summary>So many vectors are copied; more are used where they lie, because a thread's stack may be small.</summary>
    public const int OnStack = 64;

    /// <summary>True if the flags of preadv2(2) and pwritev2(2) mean nothing to a socket, or only that the call must not wait; all others the kernel refuses.</summary>
    public static bool AreKnown(int flags)
    {
        const int append = Linux.RWF_APPEND | Linux.RWF_NOAPPEND;
        return (flags & ~(Linux.RWF_HIPRI | Linux.RWF_DSYNC | Linux.RWF_SYNC | Linux.RWF_NOWAIT | append)) == 0 && (flags & append) != append;
    }

    /// <summary>
    /// The bytes that the vectors name, or a negative errno; <paramref name="vectors"/> is what is to be used from then on.
    /// </summary>
    /// <param name="vectors">The program's vectors.</param>
    /// <param name="count">How many.</param>
    /// <param name="copy">Room for <see cref="OnStack"/> of them.</param>
    public static nint Import(ref IoVector* vectors, nint count, IoVector* copy)
    {
        if (count is < 0 or > Maximum) return -Linux.EINVAL;
        bool copied = count <= OnStack;
        nuint bytes = (nuint)count * (nuint)sizeof(IoVector), total = 0;
        if (!(copied ? CallerMemory.TryRead(vectors, copy, bytes) : CallerMemory.CanRead(vectors, bytes))) return Refusal(vectors);
        if (copied) vectors = copy;
        bool inRange = true;
        for (nint i = 0; i < count; i++)
        {
            nuint length = vectors[i].Length;
            if ((nint)length < 0) return -Linux.EINVAL;
            // Of a single one only as much is looked at as a call can move.
            inRange &= CallerMemory.IsInRange(vectors[i].Base, count == 1 && length > MostBytes ? MostBytes : length);
            if (copied && length > MostBytes - total) vectors[i].Length = length = MostBytes - total;
            total += length;
        }
        return inRange ? (nint)total : -Linux.EFAULT;
    }

    /// <summary>Of vectors that cannot all be read the kernel looks at one after the other.</summary>
    private static int Refusal(IoVector* vectors)
    {
        IoVector one;
        while (CallerMemory.TryRead(vectors++, &one)) if ((nint)one.Length < 0) return -Linux.EINVAL;
        return -Linux.EFAULT;
    }
}
