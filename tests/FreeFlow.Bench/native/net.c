#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void die(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static socklen_t resolve(const char *address, int port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address[0] == '/') {
        struct sockaddr_un *un = (struct sockaddr_un *)out;
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%s", address);
        return sizeof *un;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, address, &in->sin_addr) != 1) {
        fprintf(stderr, "probe: '%s' is no IPv4 address and no path beginning with '/'\n", address);
        exit(2);
    }
    return sizeof *in;
}

static int prompt(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // has no meaning, and fails, on a Unix socket
    return fd;
}

int listen_on(const char *address, int port)
{
    struct sockaddr_storage where;
    socklen_t length = resolve(address, port, &where);
    int on = 1, fd = socket(where.ss_family, SOCK_STREAM, 0);
    if (fd < 0) die("socket");
    if (address[0] == '/') unlink(address);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&where, length) || listen(fd, 4096)) die(address);
    return fd;
}

int accept_one(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) die("accept");
    return prompt(fd);
}

int connect_to(const char *address, int port)
{
    struct sockaddr_storage where;
    socklen_t length = resolve(address, port, &where);
    for (int i = 0; i < 500; i++) {
        int fd = socket(where.ss_family, SOCK_STREAM, 0);
        if (fd < 0) die("socket");
        if (connect(fd, (struct sockaddr *)&where, length) == 0) return prompt(fd);
        close(fd);
        usleep(10000);
    }
    die(address);
    return -1;
}

void send_all(int fd, const void *data, size_t bytes)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t n = send(fd, from, bytes, MSG_NOSIGNAL);
        if (n < 0) die("send");
        from += n;
        bytes -= (size_t)n;
    }
}

int receive_all(int fd, void *data, size_t bytes)
{
    char *to = data;
    while (bytes > 0) {
        ssize_t n = recv(fd, to, bytes, 0);
        if (n < 0) die("recv");
        if (n == 0) return 0;
        to += n;
        bytes -= (size_t)n;
    }
    return 1;
}
