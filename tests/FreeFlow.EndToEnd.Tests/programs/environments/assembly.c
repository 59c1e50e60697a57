/*
 * assembly SEED: an echo over TCP between two processes whose transfers are libc's and whose readiness calls are instructions of their own, as those of a library that was
 * linked statically are: nothing that is preloaded sees them. The seed chooses the calls, who makes them, blocking or not, and the sizes. Prints what arrived.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL, PPOLL, SELECT, PSELECT, EPOLL, EPOLL_PWAIT, EPOLL_PWAIT2, EDGE, ONCE, LIBC_SET, LIBC_EDGE, LIBC_ONCE, LIBC_CALLS, KINDS };
static const char *const names[KINDS] = { "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "edge", "once", "libc's set", "libc's set, edge", "libc's set, once", "libc's calls" };

static uint64_t state;
static unsigned Random(unsigned below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static long Raw(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#endif
}

static int kind, set = -1;

/* Sleeps until one of the poll(2) events is there. */
static void Await(int fd, int events) {
    long result = 0;
    int added = 0;
    struct epoll_event event = { .events = (events & POLLIN ? EPOLLIN : 0) | (events & POLLOUT ? EPOLLOUT : 0), .data.u64 = 0x123456789abcdefull }, got = { 0 };
    struct pollfd look = { .fd = fd, .events = events };
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    if (events & POLLIN) FD_SET(fd, &readable);
    if (events & POLLOUT) FD_SET(fd, &writable);
    int used = kind;
#if !defined(__x86_64__)
    if (used == POLL) used = PPOLL;
    if (used == SELECT) used = PSELECT;
    if (used == EPOLL) used = EPOLL_PWAIT;
#endif
    switch (used) {
#if defined(__x86_64__)
    case POLL: result = Raw(SYS_poll, (long)&look, 1, -1, 0, 0, 0); break;
    case SELECT: result = Raw(SYS_select, fd + 1, (long)&readable, (long)&writable, 0, 0, 0); break;
#endif
    case PPOLL: result = Raw(SYS_ppoll, (long)&look, 1, 0, 0, 8, 0); break;
    case PSELECT: result = Raw(SYS_pselect6, fd + 1, (long)&readable, (long)&writable, 0, 0, 0); break;
    case LIBC_CALLS: result = poll(&look, 1, -1); break;
    default:
        if (used == EDGE || used == LIBC_EDGE) event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        if (used == ONCE || used == LIBC_ONCE) event.events |= EPOLLONESHOT;
        int libc = used >= LIBC_SET, operation = EPOLL_CTL_MOD;
        if (set < 0) { set = libc ? epoll_create1(0) : (int)Raw(SYS_epoll_create1, 0, 0, 0, 0, 0, 0); operation = EPOLL_CTL_ADD; added = 1; }
        if (added || (used != EDGE && used != LIBC_EDGE)) {
            if (libc) epoll_ctl(set, operation, fd, &event);
            else Raw(SYS_epoll_ctl, set, operation, fd, (long)&event, 0, 0);
        }
        if (used == EPOLL_PWAIT2) result = Raw(SYS_epoll_pwait2, set, (long)&got, 1, 0, 0, 8);
        else result = Raw(SYS_epoll_pwait, set, (long)&got, 1, -1, 0, 8);
        if (result == 1 && got.data.u64 != 0x123456789abcdefull) { printf("strange data %llx\n", (unsigned long long)got.data.u64); fflush(stdout); _exit(2); }
    }
    if (result != 1 && !((used == SELECT || used == PSELECT) && result > 0)) { printf("%s: %ld\n", names[kind], result); fflush(stdout); _exit(3); }
}

static int ends, blocking;

static ssize_t ReceiveSome(int fd, char *buffer, size_t size) {
    while (1) {
        if (blocking) Await(fd, POLLIN);
        ssize_t got = recv(fd, buffer, size, 0);
        if (got >= 0 || errno != EAGAIN) { if (got == 0) ends = 1; return got; }
        Await(fd, POLLIN);
    }
}

static void SendAll(int fd, const char *buffer, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, buffer, size, MSG_NOSIGNAL);
        if (sent > 0) { buffer += sent; size -= (size_t)sent; continue; }
        if (sent < 0 && errno != EAGAIN) { perror("send"); _exit(4); }
        Await(fd, POLLOUT);
    }
}

static void Become(int fd, int ownKind, int isBlocking) {
    kind = ownKind;
    blocking = isBlocking && kind != EDGE && kind != LIBC_EDGE;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!blocking) fcntl(fd, F_SETFL, O_NONBLOCK);
}

int main(int count, char **arguments) {
    state = strtoull(arguments[count > 1 ? 1 : 0], 0, 10) * 0x9E3779B97F4A7C15ull + 1;
    (void)Random(2);
    int serverKind = (int)Random(KINDS), clientKind = Random(2) ? (int)Random(KINDS) : LIBC_CALLS, serverBlocks = (int)Random(2), clientBlocks = (int)Random(2);
    int messages = 30 + (int)Random(60), most = Random(2) ? 100 : 20000, floods = (int)Random(2);
    printf("server %s%s, client %s%s, %d messages\n", names[serverKind], serverBlocks ? ", blocking" : "", names[clientKind], clientBlocks ? ", blocking" : "", messages);
    fflush(stdout);
    alarm(60);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &length);
    static char buffer[1 << 16], expected[1 << 16];
    if (fork() == 0) {
        alarm(60);
        int fd = accept(listener, 0, 0);
        close(listener);
        Become(fd, serverKind, serverBlocks);
        uint64_t sum = 0, total = 0;
        while (1) {
            ssize_t got = ReceiveSome(fd, buffer, sizeof buffer);
            if (got <= 0) break;
            for (ssize_t i = 0; i < got; i++) sum = sum * 31 + (unsigned char)buffer[i];
            total += (uint64_t)got;
            /* What follows the last message is a flood that is only counted, and slowly. */
            if (buffer[0] != 'F') SendAll(fd, buffer, (size_t)got);
            else if (floods) usleep(2000);
        }
        printf("server: %llu bytes, sum %llx\n", (unsigned long long)total, (unsigned long long)sum);
        fflush(stdout);
        _exit(0);
    }
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    Become(fd, clientKind, clientBlocks);
    for (int i = 0; i < messages; i++) {
        size_t size = 1 + Random((unsigned)most), have = 0;
        for (size_t k = 0; k < size; k++) expected[k] = (char)('a' + Random(20));
        SendAll(fd, expected, size);
        while (have < size) {
            ssize_t got = ReceiveSome(fd, buffer, size - have);
            if (got <= 0) { printf("early end\n"); return 5; }
            if (memcmp(buffer, expected + have, (size_t)got)) { printf("message %d differs\n", i); return 6; }
            have += (size_t)got;
        }
        if (Random(20) == 0) usleep(Random(300000));
    }
    memset(expected, 'F', sizeof expected);
    for (int i = 0; floods && i < 100; i++) SendAll(fd, expected, sizeof expected);
    shutdown(fd, SHUT_WR);
    int status;
    wait(&status);
    printf("server ended %d\n", status);
    return 0;
}
