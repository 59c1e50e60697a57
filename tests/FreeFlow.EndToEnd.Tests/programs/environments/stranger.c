/* A library for deepbind.py, lookup.py and namespace.c: its calls are bound in more than one way. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* A slot of data, not one of the calls. */
static ssize_t (*const reading)(int, void *, size_t) = read;

long put(int fd, const void *bytes, size_t count) { return write(fd, bytes, count); }
long get(int fd, void *bytes, size_t count) { return reading(fd, bytes, count); }
long look(int fd, void *bytes, size_t count) { return recv(fd, bytes, count, MSG_PEEK | MSG_DONTWAIT); }
long end(int fd) { return close(fd); }

/* Looked up as the library sees it: with RTLD_DEEPBIND its own libc comes first. */
long found_send(int fd, const void *bytes, size_t count) { return ((__typeof__(&send))dlsym(RTLD_DEFAULT, "send"))(fd, bytes, count, 0); }
int *error_of_this_libc(void) { return &errno; }
