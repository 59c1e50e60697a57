using Tmds.Linux;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>System calls that only the tests need.</summary>
internal static unsafe class Kernel
{
    public const int SIGTERM = 15, SIGCONT = 18, SIGSTOP = 19;

    /// <summary>setresuid(2) and setresgid(2) as raw calls change the calling thread alone.</summary>
    public const long SetUserIds = 117, SetGroupIds = 119;

    public static int kill(int process, int signal) => LibC.kill(process, signal);

    public static long syscall(long number, long first, long second, long third) =>
        (ssize_t)LibC.syscall((void*)number, (void*)first, (void*)second, (void*)third);
}
