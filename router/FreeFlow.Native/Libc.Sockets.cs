using Tmds.Linux;

namespace FreeFlow.Native;

public static unsafe partial class Libc
{
    public static int socket(int domain, int type, int protocol) => LibC.socket(domain, type, protocol);
    public static int socketpair(int domain, int type, int protocol, int* pair) => LibC.socketpair(domain, type, protocol, pair);
    public static int bind(int fd, void* address, uint length) => LibC.bind(fd, (sockaddr*)address, length);
    public static int listen(int fd, int backlog) => LibC.listen(fd, backlog);
    public static int connect(int fd, void* address, uint length) => LibC.connect(fd, (sockaddr*)address, length);
    public static int accept4(int fd, void* address, uint* length, int flags) =>
        LibC.accept4(fd, (sockaddr*)address, (socklen_t*)length, flags);
    public static int shutdown(int fd, int how) => LibC.shutdown(fd, how);
    public static nint sendmsg(int fd, MessageHeader* message, int flags) => (nint)(long)LibC.sendmsg(fd, (msghdr*)message, flags);
    public static nint recvmsg(int fd, MessageHeader* message, int flags) => (nint)(long)LibC.recvmsg(fd, (msghdr*)message, flags);
    public static nint send(int fd, void* buffer, nuint length, int flags) =>
        (nint)(long)LibC.send(fd, buffer, (size_t)length, flags);
    public static nint recv(int fd, void* buffer, nuint length, int flags) =>
        (nint)(long)LibC.recv(fd, buffer, (size_t)length, flags);
    public static int getsockopt(int fd, int level, int name, void* value, uint* length) =>
        LibC.getsockopt(fd, level, name, value, (socklen_t*)length);
    public static int setsockopt(int fd, int level, int name, void* value, uint length) => LibC.setsockopt(fd, level, name, value, length);
    public static int getsockname(int fd, void* address, uint* length) => LibC.getsockname(fd, (sockaddr*)address, (socklen_t*)length);
    public static int getpeername(int fd, void* address, uint* length) => LibC.getpeername(fd, (sockaddr*)address, (socklen_t*)length);

    public const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16;
    public const int SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    public const int IPPROTO_TCP = 6, NETLINK_SOCK_DIAG = 4, NETLINK_NETFILTER = 12;
    public const int SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_LINGER = 13, SO_RCVTIMEO = 20;
    public const int SO_SNDTIMEO = 21, SO_PEERCRED = 17, SO_PROTOCOL = 38, SO_DOMAIN = 39;
    public const int SO_SNDBUF = 7, SO_RCVBUF = 8, SO_BUF_LOCK = 72, SO_COOKIE = 57;
    public const int SO_BINDTOIFINDEX = 62, SO_NETNS_COOKIE = 71, SO_PEERPIDFD = 77, SO_PASSRIGHTS = 83;
    public const int SO_RCVBUFFORCE = 33;
    public const int TCP_MAXSEG = 2, TCP_INFO = 11, TCP_CONGESTION = 13, TCP_USER_TIMEOUT = 18;
    public const int TCP_REPAIR = 19, TCP_REPAIR_QUEUE = 20, TCP_NOTSENT_LOWAT = 25;
    public const int SCM_RIGHTS = 1, SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2;
    public const int MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000;
    public const nuint FIONREAD = 0x541b, SIOCOUTQNSD = 0x894b, SIOCGSKNS = 0x894c, NS_GET_USERNS = 0xb701;
}
