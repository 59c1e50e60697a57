using System.Runtime.InteropServices;

namespace FreeFlow.Native;

// What Tmds.LibC lacks; and poll, whose errno it does not keep.
public static unsafe partial class Libc
{
    [LibraryImport("libc", SetLastError = true)] public static partial int flock(int fd, int operation);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* realpath(string path, byte* resolved);
    [LibraryImport("libc", SetLastError = true)] public static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);
    [LibraryImport("libc", SetLastError = true)] public static partial int getrlimit(int resource, out ResourceLimit limit);
    [LibraryImport("libc", SetLastError = true)] public static partial int setrlimit(int resource, in ResourceLimit limit);
    [LibraryImport("libc", SetLastError = true)] public static partial int getpriority(int which, uint who);
    [LibraryImport("libc", SetLastError = true)] public static partial int execvp(byte* file, byte** arguments);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setenv(string name, string value, int overwrite);
    [LibraryImport("libc", SetLastError = true)] public static partial nint signal(int number, nint handler);
}
