using System.Runtime.InteropServices;

namespace FreeFlow.Lab;

/// <summary>The one libc call that .NET does not offer: a signal to a process.</summary>
internal static partial class Native
{
    internal const int SIGINT = 2;
    internal const int SIGKILL = 9;
    internal const int SIGTERM = 15;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int pid, int signal);
}
