using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>libc functions under their own names (the manual pages describe them), Linux x86-64. Failure is -1 with errno in <see cref="Errno.Last"/>.</summary>
public static unsafe partial class Libc
{
    [LibraryImport("libc", SetLastError = true)] public static partial int close(int fd);
    [LibraryImport("libc", SetLastError = true)] public static partial nint read(int fd, void* buffer, nuint count);
    [LibraryImport("libc", SetLastError = true)] public static partial nint write(int fd, void* buffer, nuint count);
    [LibraryImport("libc", SetLastError = true)] public static partial nint pread(int fd, void* buffer, nuint count, long offset);
    [LibraryImport("libc", SetLastError = true)] public static partial nint pwrite(int fd, void* buffer, nuint count, long offset);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int open(string path, int flags);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int open(string path, int flags, uint mode);
    [LibraryImport("libc", SetLastError = true)] public static partial nint readlinkat(int folder, byte* name, byte* target, nuint size);
    /// <summary>The error's number, or 0.</summary>
    [LibraryImport("libc")] public static partial int posix_fallocate(int fd, long offset, long length);
    [LibraryImport("libc", SetLastError = true)] public static partial int flock(int fd, int operation);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int unlink(string path);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int chmod(string path, uint mode);
    [LibraryImport("libc", SetLastError = true)] public static partial int fstat(int fd, out FileStatus status);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial byte* realpath(string path, byte* resolved);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int stat(string path, out FileStatus status);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int name_to_handle_at(int folder, string path, void* handle, int* mount, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int open_by_handle_at(int mount, void* handle, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int fcntl(int fd, int command, nint argument);
    [LibraryImport("libc", SetLastError = true)] public static partial int ioctl(int fd, nuint request, nint argument);
    [LibraryImport("libc", SetLastError = true)] public static partial int ftruncate(int fd, long length);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int memfd_create(string name, uint flags);
    [LibraryImport("libc", SetLastError = true)] public static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);
    [LibraryImport("libc", SetLastError = true)] public static partial int munmap(void* address, nuint length);

    [LibraryImport("libc", SetLastError = true)] public static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);
    public const int PATH_MAX = 4096;
    public const int O_RDONLY = 0, O_RDWR = 2, O_CREAT = 0x40, O_NONBLOCK = 0x800, O_DIRECTORY = 0x10000, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000, O_PATH = 0x200000;
    public const int AT_EMPTY_PATH = 0x1000;
    public const int LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8;
    public const int F_SETFL = 4, F_DUPFD_CLOEXEC = 1030, F_ADD_SEALS = 1033, F_GET_SEALS = 1034;
    public const int F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8;
    public const uint MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2;
    public const int PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1;
    public const uint S_IFMT = 0xf000, S_IFSOCK = 0xc000;

    /// <summary>What mmap returns on failure.</summary>
    public static readonly void* MAP_FAILED = (void*)-1;
}
