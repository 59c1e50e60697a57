/* A library for deepbind.py: its calls are bound in more than one way. */
#include <sys/socket.h>
#include <unistd.h>

/* A slot of data, not one of the calls. */
static ssize_t (*const reading)(int, void *, size_t) = read;

long put(int fd, const void *bytes, size_t count) { return write(fd, bytes, count); }
long get(int fd, void *bytes, size_t count) { return reading(fd, bytes, count); }
long look(int fd, void *bytes, size_t count) { return recv(fd, bytes, count, MSG_PEEK | MSG_DONTWAIT); }
long end(int fd) { return close(fd); }
