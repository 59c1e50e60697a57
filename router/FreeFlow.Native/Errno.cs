using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>Error numbers of Linux, under their own names.</summary>
public static class Errno
{
    public const int EPERM = 1, ENOENT = 2, EINTR = 4, EAGAIN = 11, ENOMEM = 12, EACCES = 13, ENFILE = 23, EINVAL = 22, EMFILE = 24, ENAMETOOLONG = 36;
    public const int ENODEV = 19, EADDRINUSE = 98, EADDRNOTAVAIL = 99, ENETUNREACH = 101, ETIMEDOUT = 110;
    public const int EPROTOTYPE = 91, EPROTONOSUPPORT = 93, ENOPROTOOPT = 92, ENOBUFS = 105, ESTALE = 116, ECONNREFUSED = 111, EINPROGRESS = 115;

    /// <summary>errno of the last call through <see cref="Libc"/> on this thread.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>Its text, as strerror gives it.</summary>
    public static string LastText => Marshal.GetLastPInvokeErrorMessage();
}
