using System.Runtime.InteropServices;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>System calls that only the tests need.</summary>
internal static partial class Kernel
{
    public const int SIGTERM = 15, SIGCONT = 18, SIGSTOP = 19;

    /// <summary>setresuid(2) and setresgid(2) as raw calls change the calling thread alone.</summary>
    public const long SetUserIds = 117, SetGroupIds = 119;

    [LibraryImport("libc", SetLastError = true)] public static partial int kill(int process, int signal);
    [LibraryImport("libc", SetLastError = true)] public static partial long syscall(long number, long first, long second, long third);
}
