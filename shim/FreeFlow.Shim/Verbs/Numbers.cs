namespace FreeFlow.Shim.Verbs;

/// <summary>Numbers of Linux on x86-64 that only the verbs use.</summary>
internal static class Numbers
{
    public const int EBUSY = 16, EIO = 5, E2BIG = 7, ENODEV = 19, ENOSPC = 28, EAFNOSUPPORT = 97, EADDRNOTAVAIL = 99;
    public const int SysGetrandom = 318, SIOCGIFCONF = 0x8912, F_SEAL_FUTURE_WRITE = 0x10;
}
