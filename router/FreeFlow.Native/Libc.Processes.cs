using System.Runtime.InteropServices;

namespace FreeFlow.Native;

public static unsafe partial class Libc
{
    [LibraryImport("libc")] public static partial int sched_yield();
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_create1(int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_ctl(int epoll, int operation, int fd, EpollEvent* change);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_wait(int epoll, EpollEvent* events, int capacity, int timeoutMilliseconds);
    [LibraryImport("libc", SetLastError = true)] public static partial int eventfd(uint value, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int setns(int fd, int type);
    [LibraryImport("libc", SetLastError = true)] public static partial int getrlimit(int resource, out ResourceLimit limit);
    [LibraryImport("libc", SetLastError = true)] public static partial int setrlimit(int resource, in ResourceLimit limit);
    [LibraryImport("libc", SetLastError = true)] public static partial int getpriority(int which, uint who);
    [LibraryImport("libc")] public static partial uint geteuid();
    [LibraryImport("libc")] public static partial uint getegid();
    [LibraryImport("libc", SetLastError = true)] public static partial int execvp(byte* file, byte** arguments);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int setenv(string name, string value, int overwrite);
    [LibraryImport("libc", SetLastError = true)] public static partial nint syscall(nint number, nint first, nint second, nint third);
    [LibraryImport("libc", SetLastError = true)] public static partial nint signal(int number, nint handler);

    public const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CLOEXEC = 0x80000;
    public const uint EPOLLIN = 1, EPOLLHUP = 0x10, EPOLLRDHUP = 0x2000, EPOLLET = 1u << 31;
    public const int EFD_NONBLOCK = 0x800, EFD_CLOEXEC = 0x80000;
    public const int CLONE_NEWNET = 0x40000000;
    public const int SYS_getdents64 = 217, SYS_sched_setattr = 314, SYS_bpf = 321, SYS_pidfd_open = 434, SYS_pidfd_getfd = 438;
    public const int BPF_PROG_LOAD = 5, BPF_PROG_TEST_RUN = 10;
    public const int RLIMIT_NOFILE = 7;
    public const int SIGPIPE = 13;
    public const nint SIG_DFL = 0;
}
