using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Exports;

/// <summary>What readv(2) demands of its vectors; whatever fails it goes to the kernel, which has the right errno.</summary>
internal static unsafe class Vectors
{
    /// <summary>IOV_MAX.</summary>
    public const int Maximum = 1024;

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
