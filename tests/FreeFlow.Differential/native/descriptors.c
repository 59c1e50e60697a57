// dup(2), fcntl(2), ioctl(2).
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// dup|dupfd SLOT NEW [LEAST CLOEXEC], dup2|dup3 SLOT ONTO [FLAGS]
static void copy(const char *verb)
{
    struct slot *from = slot();
    if (strcmp(verb, "dup") == 0) {
        int fd = dup(from->fd);
        say(fd >= 0 ? "0" : strerrorname_np(errno));
        new_slot(fd, from->kind, from);
        return;
    }
    if (strcmp(verb, "dupfd") == 0) {
        int least = (int)number(), fd = fcntl(from->fd, number() ? F_DUPFD_CLOEXEC : F_DUPFD, least);
        say(fd >= 0 ? "0 %d" : strerrorname_np(errno), fd >= least);
        new_slot(fd, from->kind, from);
        return;
    }
    struct slot *onto = slot();
    int flags = (int)number();
    if (onto->kind == Stream) publish(onto);
    int result = verb[3] == '2' ? dup2(from->fd, onto->fd) : dup3(from->fd, onto->fd, flags);
    int error = errno;
    say(result >= 0 ? (result == onto->fd ? "same" : "other") : strerrorname_np(error));
    if (result < 0 || from == onto || result == from->fd) return;
    forget(onto);
    *onto = *from;
    onto->fd = result;
    if (onto->kind == Stream) stage->connections[onto->connection].holders[onto->side]++;
}

/// closerange SLOT FLAGS: of this one number; with CLOSE_RANGE_CLOEXEC it stays open.
static void close_by_range(void)
{
    struct slot *of = slot();
    struct slot before = *of;
    int flags = (int)number();
    publish(of);
    note_roads(of);
    if (flags == 0) forget(of);
    say_result(close_range((unsigned)before.fd, (unsigned)before.fd, flags));
}

/// pidfdget SLOT NEW: a copy by way of the own process.
static void copy_by_process(void)
{
    struct slot *from = slot();
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0), fd = (int)syscall(SYS_pidfd_getfd, process, from->fd, 0);
    say(fd >= 0 ? "0" : strerrorname_np(errno));
    close(process);
    new_slot(fd, from->kind, from);
}

/// borrow SLOT: a vfork child closes it, which is nothing to its parent.
static void close_in_child(void)
{
    int fd = slot()->fd, status = -1;
    pid_t pid = vfork();
    if (pid == 0) _exit(close(fd) == 0 ? 7 : 8);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    say("%x", status);
}

int descriptors(const char *verb)
{
    int value = 0;
    if (strcmp(verb, "closerange") == 0) { close_by_range(); return 1; }
    if (strcmp(verb, "pidfdget") == 0) { copy_by_process(); return 1; }
    if (strcmp(verb, "borrow") == 0) { close_in_child(); return 1; }
    if (strncmp(verb, "dup", 3) == 0) copy(verb);
    else if (strcmp(verb, "nonblock") == 0) {
        int fd = slot()->fd, flags = fcntl(fd, F_GETFL);
        say_result(fcntl(fd, F_SETFL, number() ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
    } else if (strcmp(verb, "fionbio") == 0) {
        int fd = slot()->fd;
        value = (int)number();
        say_result(ioctl(fd, FIONBIO, &value));
    } else if (strcmp(verb, "getfl") == 0) {
        int fd = slot()->fd;
        say("%x %x", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    } else if (strcmp(verb, "setfd") == 0) {
        int fd = slot()->fd;
        say_result(fcntl(fd, F_SETFD, (int)number()));
    } else if (strcmp(verb, "fionread") == 0) {
        say_result(ioctl(slot()->fd, FIONREAD, &value));
        say(" %d", value);
    } else if (strcmp(verb, "outq") == 0) {
        // What the peer has not acknowledged: on the kernel's path that takes a moment, so only whether it comes to nothing.
        int fd = slot()->fd, result = 0;
        for (int i = 0; i < 200; i++) {
            result = ioctl(fd, SIOCOUTQ, &value);
            if (result != 0 || value == 0) break;
            nap(1000);
        }
        say_result(result);
        // Of a connection that was reset the kernel goes on saying what had not been acknowledged when that happened.
        struct tcp_info facts = {0};
        socklen_t length = sizeof facts;
        int known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &facts, &length) == 0;
        say(" %s", known && facts.tcpi_state == TCP_CLOSE ? "closed" : value ? "some" : "none");
    } else if (strcmp(verb, "atmark") == 0) {
        say_result(sockatmark(slot()->fd));
    } else return 0;
    return 1;
}
