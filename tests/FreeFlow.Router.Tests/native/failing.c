/*
 * Lets calls fail at random, as they do where descriptors, memory or threads are short: to be preloaded into a router, of any build. The runtime finds
 * the functions of libc by dlsym(3), so that is what is taken over, and pthread_create(3).
 *
 * FAILING_WHILE=PATH   they fail while there is a file of this name
 * FAILING_SEED=N       which of them
 * FAILING_ONE_IN=N     how often
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint64_t state;

static int fails(int error) {
    const char *file = getenv("FAILING_WHILE"), *seed = getenv("FAILING_SEED"), *often = getenv("FAILING_ONE_IN");
    if (!file || !often || syscall(SYS_access, file, F_OK) != 0) return 0;
    uint64_t next = ++state * 6364136223846793005u + (seed ? strtoull(seed, NULL, 10) : 1) * 1442695040888963407u;
    next ^= next >> 29;
    next *= 0xbf58476d1ce4e5b9u;
    if ((next >> 33) % strtoull(often, NULL, 10) != 0) return 0;
    errno = error;
    return 1;
}

static int failing_memfd_create(const char *name, unsigned flags) { return fails(EMFILE) ? -1 : memfd_create(name, flags); }
static int failing_ftruncate(int fd, off_t length) { return fails(ENOSPC) ? -1 : ftruncate(fd, length); }
static int failing_socketpair(int domain, int type, int protocol, int *ends) { return fails(EMFILE) ? -1 : socketpair(domain, type, protocol, ends); }
static int failing_socket(int domain, int type, int protocol) { return fails(ENFILE) ? -1 : socket(domain, type, protocol); }
static int failing_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) { return fails(EMFILE) ? -1 : accept4(fd, address, length, flags); }
static int failing_epoll_create1(int flags) { return fails(EMFILE) ? -1 : epoll_create1(flags); }
static int failing_eventfd(unsigned value, int flags) { return fails(EMFILE) ? -1 : (int)syscall(SYS_eventfd2, value, flags); }
static int failing_epoll_ctl(int set, int operation, int fd, struct epoll_event *event) { return operation == EPOLL_CTL_ADD && fails(ENOSPC) ? -1 : epoll_ctl(set, operation, fd, event); }
static void *failing_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return fd >= 0 && fails(ENOMEM) ? MAP_FAILED : mmap(address, length, protection, flags, fd, offset);
}
static int failing_fcntl(int fd, int command, intptr_t argument) { return (command == F_DUPFD_CLOEXEC || command == F_ADD_SEALS) && fails(EMFILE) ? -1 : fcntl(fd, command, argument); }
static ssize_t failing_sendmsg(int fd, const struct msghdr *message, int flags) { return fails(ENOBUFS) ? -1 : sendmsg(fd, message, flags); }
static ssize_t failing_send(int fd, const void *bytes, size_t length, int flags) { return fails(ENOBUFS) ? -1 : send(fd, bytes, length, flags); }
static ssize_t failing_recvmsg(int fd, struct msghdr *message, int flags) { return fails(ENOMEM) ? -1 : recvmsg(fd, message, flags); }
static ssize_t failing_pread(int fd, void *bytes, size_t length, off_t offset) { return fails(EIO) ? -1 : pread(fd, bytes, length, offset); }
static ssize_t failing_pwrite(int fd, const void *bytes, size_t length, off_t offset) { return fails(ENOSPC) ? -1 : pwrite(fd, bytes, length, offset); }
static int failing_getsockopt(int fd, int level, int name, void *value, socklen_t *length) { return fails(ENOMEM) ? -1 : getsockopt(fd, level, name, value, length); }
static long failing_syscall(long number, long first, long second, long third) {
    return (number == SYS_pidfd_open || number == SYS_pidfd_getfd || number == SYS_bpf) && fails(EMFILE) ? -1 : syscall(number, first, second, third);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real) real = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlvsym(RTLD_NEXT, "pthread_create", "GLIBC_2.34");
    return fails(EAGAIN) ? EAGAIN : real(thread, attributes, start, argument);
}

void *dlsym(void *handle, const char *name) {
    static const struct { const char *name; void *function; } taken[] = {
        { "memfd_create", failing_memfd_create }, { "ftruncate", failing_ftruncate }, { "socketpair", failing_socketpair }, { "socket", failing_socket },
        { "accept4", failing_accept4 }, { "epoll_create1", failing_epoll_create1 }, { "eventfd", failing_eventfd }, { "epoll_ctl", failing_epoll_ctl },
        { "mmap", failing_mmap }, { "fcntl", failing_fcntl }, { "sendmsg", failing_sendmsg }, { "send", failing_send }, { "recvmsg", failing_recvmsg },
        { "pread", failing_pread }, { "pwrite", failing_pwrite }, { "getsockopt", failing_getsockopt }, { "syscall", failing_syscall },
    };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcmp(name, taken[i].name) == 0) return taken[i].function;
    }
    static void *(*real)(void *, const char *);
    if (!real) real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    return real(handle, name);
}
