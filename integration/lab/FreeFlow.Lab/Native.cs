using System.Runtime.InteropServices;

namespace FreeFlow.Lab;

/// <summary>libc calls that .NET does not offer: a signal to a process, and the removal of a folder whose files are none.</summary>
internal static partial class Native
{
    internal const int SIGINT = 2;
    internal const int SIGKILL = 9;
    internal const int SIGTERM = 15;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rmdir(string path);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int pid, int signal);
}
