using System.Runtime.InteropServices;
using System.Text;

namespace FreeFlow.Native;

/// <summary>struct sockaddr_un for a path.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct UnixAddress
{
    /// <summary>Longest path in UTF-8 bytes; one more is the closing zero.</summary>
    public const int MaximumPathBytes = 107;

    public ushort Family;
    public fixed byte Path[MaximumPathBytes + 1];

    /// <summary>False if <paramref name="path"/> is empty or too long.</summary>
    public static bool TryMake(string path, out UnixAddress address)
    {
        address = new UnixAddress { Family = Libc.AF_UNIX };
        int bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes is 0 or > MaximumPathBytes) return false;
        fixed (byte* target = address.Path) Encoding.UTF8.GetBytes(path, new System.Span<byte>(target, MaximumPathBytes));
        return true;
    }
}
