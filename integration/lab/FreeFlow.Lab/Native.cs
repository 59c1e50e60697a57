using System.Runtime.InteropServices.Marshalling;
using Tmds.Linux;

namespace FreeFlow.Lab;

/// <summary>libc calls that .NET does not offer: a signal to a process, and the removal of a folder whose files are none.</summary>
internal static unsafe class Native
{
    internal const int SIGINT = 2;
    internal const int SIGKILL = 9;
    internal const int SIGTERM = 15;

    internal static int rmdir(string path)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
        try { return LibC.rmdir(text); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    internal static int kill(int pid, int signal) => LibC.kill(pid, signal);
}
