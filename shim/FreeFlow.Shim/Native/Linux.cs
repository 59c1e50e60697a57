namespace FreeFlow.Shim.Native;

/// <summary>Numbers of the Linux x86-64 ABI that the shim uses.</summary>
internal static class Linux
{
    public const int EPERM = 1, EINTR = 4, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EEXIST = 17, EINVAL = 22, EMFILE = 24, EPIPE = 32,
        ECONNRESET = 104, EISCONN = 106, EINPROGRESS = 115, ENOENT = 2, ESRCH = 3, ENOSYS = 38, ETOOMANYREFS = 109;

    public const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10;
    public const int SOCK_STREAM = 1, SOCK_SEQPACKET = 5, SOCK_TYPE_MASK = 0xf, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    public const int IPPROTO_TCP = 6;
    public const int SOL_SOCKET = 1, SO_LINGER = 13, SO_RCVLOWAT = 18, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_PROTOCOL = 38, SO_ZEROCOPY = 60, SO_DOMAIN = 39, SO_ERROR = 4;
    public const int SOL_TCP = 6, TCP_INFO = 11, TCP_REPAIR = 19, TCP_ULP = 31;
    public const int SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2;

    public const int MSG_OOB = 1, MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_ERRQUEUE = 0x2000,
        MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000, MSG_ZEROCOPY = 0x4000000, MSG_FASTOPEN = 0x20000000, MSG_CTRUNC = 8;
    public const int SCM_RIGHTS = 1;

    public const int F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_SETOWN = 8, F_SETSIG = 10, F_SETOWN_EX = 15, F_DUPFD_CLOEXEC = 1030, F_ADD_SEALS = 1033;
    public const int FD_CLOEXEC = 1, O_NONBLOCK = 0x800, O_ASYNC = 0x2000;
    public const int F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4;
    public const uint MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2;
    public const uint FIONREAD = 0x541B, TIOCOUTQ = 0x5411, FIONBIO = 0x5421, FIOASYNC = 0x5452, FIONCLEX = 0x5450;

    public const int PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000;
    public const int CLOCK_MONOTONIC = 1, RLIMIT_NOFILE = 7;
    public const int SIG_BLOCK = 0, SIG_SETMASK = 2;

    public const short POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 0x10, POLLNVAL = 0x20, POLLRDNORM = 0x40, POLLRDBAND = 0x80,
        POLLWRNORM = 0x100, POLLWRBAND = 0x200, POLLRDHUP = 0x2000;

    public const uint EPOLLIN = 1, EPOLLPRI = 2, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 0x10, EPOLLRDNORM = 0x40, EPOLLWRNORM = 0x100, EPOLLRDHUP = 0x2000,
        EPOLLEXCLUSIVE = 1u << 28, EPOLLWAKEUP = 1u << 29, EPOLLONESHOT = 1u << 30, EPOLLET = 1u << 31;
    public const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3, EPOLL_CLOEXEC = 0x80000;
    public const int EFD_CLOEXEC = 0x80000, EFD_NONBLOCK = 0x800;
}
