namespace FreeFlow.Shim.Native;

/// <summary>Which Linux this is, by uname(2): for what cannot be found out by trying.</summary>
internal static unsafe class KernelRelease
{
    private const int SysUname = 63, FieldBytes = 65, ReleaseField = 2, Fields = 6;

    /// <summary>Major and minor number in one, 0 until asked for.</summary>
    private static uint _number;

    public static bool IsAtLeast(uint major, uint minor)
    {
        if (_number == 0) _number = Read();
        return _number >= (major << 16 | minor);
    }

    private static uint Read()
    {
        byte* names = stackalloc byte[FieldBytes * Fields];
        if (Process.Libc->syscall(SysUname, (nint)names, 0, 0, 0, 0) != 0) return 1;
        byte* at = names + (FieldBytes * ReleaseField);
        uint major = Number(&at), minor = *at == (byte)'.' && *++at != 0 ? Number(&at) : 0;
        return (major << 16) | minor;
    }

    private static uint Number(byte** at)
    {
        uint number = 0;
        for (; **at is >= (byte)'0' and <= (byte)'9'; (*at)++) number = (number * 10) + (uint)(**at - '0');
        return number;
    }
}
