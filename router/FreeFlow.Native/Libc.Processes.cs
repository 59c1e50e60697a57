using Tmds.Linux;

namespace FreeFlow.Native;

public static unsafe partial class Libc
{
    public static int sched_yield() => LibC.sched_yield();
    public static int epoll_create1(int flags) => LibC.epoll_create1(flags);
    public static int epoll_ctl(int epoll, int operation, int fd, EpollEvent* change) =>
        LibC.epoll_ctl(epoll, operation, fd, (epoll_event*)change);
    public static int epoll_wait(int epoll, EpollEvent* events, int capacity, int timeoutMilliseconds) =>
        LibC.epoll_wait(epoll, (epoll_event*)events, capacity, timeoutMilliseconds);
    public static int eventfd(uint value, int flags) => LibC.eventfd(value, flags);
    public static int setns(int fd, int type) => LibC.setns(fd, type);
    public static uint geteuid() => LibC.geteuid();
    public static uint getegid() => LibC.getegid();
    public static nint syscall(nint number, nint first, nint second, nint third) =>
        (nint)(long)LibC.syscall((void*)number, (void*)first, (void*)second, (void*)third);

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
