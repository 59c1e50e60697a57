/*
 * A hostile neighbour: it is one end of a ring and writes what it likes into all of it, while the program at the other end has another client to serve.
 *
 * usage: neighbour serve PORT                    echoes to everybody, one thread, epoll; prints "port N"
 *        neighbour attack PORT SEED              a connection with a ring that is then spoilt; prints "rings 1"
 *        neighbour visit PORT SEED               the same calls, and nothing is spoilt
 *        neighbour stray PORT                    lets its library read beyond its ring
 *        neighbour ask PORT                      question and answer until standard input ends; 1 if an answer is wrong or does not come; prints
 *                                                "answers N, p99 M us" of all that came (100000: that long or longer), and for each half second
 *                                                "window N M" before
 * serve and ask are to be run under FreeFlow as usual; attack too: it finds the ring and the doorbell that its own library has mapped.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;
static unsigned next(void) { return (unsigned)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33); }

static int joined(int port, int listening) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!listening) return connect(fd, (void *)&address, length) == 0 ? fd : -1;
    if (bind(fd, (void *)&address, length) || listen(fd, 100) || getsockname(fd, (void *)&address, &length)) return -1;
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static _Noreturn void serve(int port) {
    static char bytes[70000];
    int listener = joined(port, 1), set = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, ready[16];
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(set, ready, 16, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                event.data.fd = fd;
                if (fd >= 0) epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
                continue;
            }
            ssize_t got = recv(fd, bytes, sizeof bytes, 0);
            if (got < 0 && errno == EAGAIN) continue;
            if (got > 0) got = send(fd, bytes, (size_t)got, MSG_NOSIGNAL) < 0 && errno != EAGAIN ? -1 : 1;
            if (got <= 0) close(fd);
        }
    }
}

static unsigned long long microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

enum { LONGEST = 100000, WINDOW = 500000 };

static unsigned p99(const unsigned *took, unsigned long count) {
    unsigned at = 0;
    for (unsigned long sum = took[0]; sum < count - count / 100 && at < LONGEST; sum += took[at]) at++;
    return at;
}

static int ask(int port) {
    static unsigned took[LONGEST + 1], window[LONGEST + 1];
    unsigned long begun = 0;
    unsigned long long since = microseconds();
    char question[1000], answer[1000];
    int fd = joined(port, 0);
    struct pollfd end = { 0, POLLIN, 0 };
    struct timeval patience = { 20, 0 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (unsigned long count = 0;; count++) {
        if (poll(&end, 1, 0) > 0) {
            printf("answers %lu, p99 %u us\n", count, p99(took, count));
            return 0;
        }
        if (microseconds() - since >= WINDOW && count > begun) {
            printf("window %lu %u\n", count - begun, p99(window, count - begun));
            fflush(stdout);
            memset(window, 0, sizeof window);
            begun = count;
            since = microseconds();
        }
        unsigned long long asked = microseconds();
        memset(question, (int)count, sizeof question);
        if (send(fd, question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question || recv(fd, answer, sizeof answer, MSG_WAITALL) != (ssize_t)sizeof answer
            || memcmp(question, answer, sizeof answer)) { printf("no answer after %lu: %s\n", count, strerror(errno)); return 1; }
        unsigned long long time = microseconds() - asked;
        took[time < LONGEST ? time : LONGEST]++;
        window[time < LONGEST ? time : LONGEST]++;
    }
}

/* The ring that this connection's library has mapped last, and its length: two blocks of whole pages. A page more is mapped, behind which there is nothing. */
static unsigned char *ring(size_t *length) {
    char line[512];
    unsigned long from, to;
    unsigned char *found = NULL;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) if (strstr(line, "freeflow-ring") && sscanf(line, "%lx-%lx", &from, &to) == 2) { found = (unsigned char *)from; *length = (to - from) / 8192 * 8192; }
    fclose(maps);
    return found;
}

static uint64_t crafted(uint64_t was) {
    switch (next() % 12) {
    case 0: return 0;
    case 1: return UINT64_MAX - next() % 3;
    case 2: return 1ull << next() % 64;
    case 3: return was + 1;
    case 4: return was - 1 - next() % 4096;
    case 5: return was + (1 << 20) + (next() % 3) - 1;
    case 6: return was + next() % 5000;
    case 7: return next() % 5;
    case 8: return ((uint64_t)next() << 32) | next();
    case 9: return was ^ (1ull << next() % 40);
    default: return was;
    }
}

static void spoil(unsigned char *block) {
    static const unsigned short words[] = { 0, 4, 8, 64, 72, 80, 88, 96, 128, 192, 256, 320, 324, 328, 332, 336, 340, 344, 352, 360, 384, 392 };
    unsigned char *at = block + (next() % 20 ? words[next() % (sizeof words / sizeof *words)] : next() % 504);
    if (next() % 2) *(volatile uint64_t *)((uintptr_t)at & ~7ul) = crafted(*(uint64_t *)((uintptr_t)at & ~7ul));
    else *(volatile uint32_t *)((uintptr_t)at & ~3ul) = (uint32_t)crafted(*(uint32_t *)((uintptr_t)at & ~3ul));
}

/* Everything a holder can do to the doorbell and to the memory, by system calls that the library does not see. */
static void misuse(unsigned char *memory, size_t length) {
    char noise[64] = {0};
    int pipes[2];
    for (int fd = 4096; fd < 4120; fd++) {
        char control[CMSG_SPACE(sizeof(int))] = {0};
        struct iovec vector = { noise, 1 + next() % 60 };
        struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
        switch (next() % 24) {
        case 0: for (int i = 0; i < 300; i++) syscall(SYS_sendto, fd, noise, 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0); break;
        case 1: syscall(SYS_fcntl, fd, F_SETFL, next() % 2 ? O_ASYNC : 0); break;
        case 2: if (pipe(pipes) == 0) {
                message.msg_control = control; message.msg_controllen = sizeof control;
                struct cmsghdr *head = CMSG_FIRSTHDR(&message);
                head->cmsg_level = SOL_SOCKET; head->cmsg_type = SCM_RIGHTS; head->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(head), pipes, sizeof(int));
                syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
                close(pipes[0]); close(pipes[1]);
            } break;
        case 3: { char all[4096]; syscall(SYS_recvfrom, fd, all, sizeof all, MSG_DONTWAIT, NULL, NULL); } break;
        case 4: if (next() % 8 == 0) syscall(SYS_shutdown, fd, (int)(next() % 3)); break;
        }
    }
    if (next() % 8 == 0) madvise(memory + (next() % (length / 4096)) * 4096, 4096, MADV_REMOVE);
}

static int attack(int port, int spoils) {
    unsigned rings = 0;
    static char bytes[100000];
    {
        int fd = joined(port, 0);
        if (fd < 0) { printf("the server takes no connection: %s\n", strerror(errno)); return 1; }
        struct timespec moment = { 0, 2000000 };
        size_t length = 0;
        unsigned char *memory = NULL;
        for (int i = 0; i < 200 && !(memory && i > 6); i++) {
            if (send(fd, bytes, 100, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) break;
            nanosleep(&moment, NULL);
            recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
            memory = ring(&length);
        }
        if (memory) {
            rings++;
            for (unsigned step = 0; step < 3000; step++) {
                for (unsigned i = next() % 8; spoils && i; i--) spoil(memory + (next() % 2) * (length / 2));
                if (step % 8 == 0) send(fd, bytes, 1 + next() % 5000, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (step % 8 == 4) recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
                if (spoils && step % 16 == 2) misuse(memory, length);
                if (step % 256 == 0) nanosleep(&moment, NULL);
            }
        }
        if (next() % 2) { struct linger reset = { 1, 0 }; syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset); }
        close(fd);
    }
    printf("rings %u\n", rings);
    return 0;
}

/* Behind a wall (guards.c): a copy that the library makes from beyond its ring must end this program. */
static int stray(int port) {
    static char bytes[1000];
    size_t length = 0;
    int fd = joined(port, 0);
    for (int i = 0; i < 500; i++) {
        if (send(fd, bytes, 100, MSG_NOSIGNAL) < 0 || recv(fd, bytes, sizeof bytes, 0) < 0) return 1;
        unsigned char *memory = ring(&length);
        /* As long as it is the kernel that sends, that says EFAULT. */
        if (memory && (send(fd, memory + length - 10, 100, MSG_NOSIGNAL) >= 0 || errno != EFAULT)) return 2;
        usleep(2000);
    }
    return 3;
}

int main(int count, char **words) {
    if (count < 3) return 64;
    int port = atoi(words[2]);
    if (words[1][1] == 'e') serve(port);
    if (words[1][1] == 's') return ask(port);
    if (words[1][0] == 's') return stray(port);
    state = strtoull(words[3], NULL, 10);
    return attack(port, words[1][0] == 'a');
}
