using System.Runtime.InteropServices.Marshalling;
using Tmds.Linux;

namespace FreeFlow.Native;

/// <summary>
/// libc functions under their own names (the manual pages describe them), by Tmds.LibC as far as it has them. Failure is -1 with errno in
/// <see cref="Errno.Last"/>.
/// </summary>
public static unsafe partial class Libc
{
    public static int close(int fd) => LibC.close(fd);
    public static nint read(int fd, void* buffer, nuint count) => (nint)(long)LibC.read(fd, buffer, (size_t)count);
    public static nint write(int fd, void* buffer, nuint count) => (nint)(long)LibC.write(fd, buffer, (size_t)count);
    public static nint pread(int fd, void* buffer, nuint count, long offset) =>
        (nint)(long)LibC.pread(fd, buffer, (size_t)count, offset);
    public static nint pwrite(int fd, void* buffer, nuint count, long offset) =>
        (nint)(long)LibC.pwrite(fd, buffer, (size_t)count, offset);

    public static int open(string path, int flags)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
        try { return LibC.open(text, flags, 0); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    public static int open(string path, int flags, uint mode)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
        try { return LibC.open(text, flags, (mode_t)mode); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    public static nint readlinkat(int folder, byte* name, byte* target, nuint size) =>
        (nint)(long)LibC.readlinkat(folder, name, target, (size_t)size);

    /// <summary>The error's number, or 0.</summary>
    public static int posix_fallocate(int fd, long offset, long length) => LibC.posix_fallocate(fd, offset, length);

    public static int unlink(string path)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
        try { return LibC.unlink(text); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    public static int chmod(string path, uint mode)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
        try { return LibC.chmod(text, (mode_t)mode); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    public static int fstat(int fd, out FileStatus status)
    {
        fixed (FileStatus* pointer = &status) return LibC.fstat(fd, (stat*)pointer);
    }

    public static int stat(string path, out FileStatus status)
    {
        fixed (FileStatus* pointer = &status)
        {
            byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
            try { return LibC.stat(text, (stat*)pointer); }
            finally { Utf8StringMarshaller.Free(text); }
        }
    }

    public static int name_to_handle_at(int folder, string path, void* handle, int* mount, int flags)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(path);
        try { return LibC.name_to_handle_at(folder, text, (file_handle*)handle, mount, flags); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    public static int open_by_handle_at(int mount, void* handle, int flags) => LibC.open_by_handle_at(mount, (file_handle*)handle, flags);
    public static int fcntl(int fd, int command, nint argument) => LibC.fcntl(fd, command, (void*)argument);
    public static int ioctl(int fd, nuint request, nint argument) => LibC.ioctl(fd, (int)request, (void*)argument);
    public static int ftruncate(int fd, long length) => LibC.ftruncate(fd, length);

    public static int memfd_create(string name, uint flags)
    {
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(name);
        try { return LibC.memfd_create(text, flags); }
        finally { Utf8StringMarshaller.Free(text); }
    }

    public static void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset) =>
        LibC.mmap(address, (size_t)length, protection, flags, fd, offset);
    public static int munmap(void* address, nuint length) => LibC.munmap(address, (size_t)length);

    public const int PATH_MAX = 4096;
    public const int O_RDONLY = 0, O_RDWR = 2, O_CREAT = 0x40, O_NONBLOCK = 0x800;
    public const int O_DIRECTORY = 0x10000, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000, O_PATH = 0x200000;
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
