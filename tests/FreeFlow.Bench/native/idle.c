#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, ROUNDS = 40, EVENTS = 64 };

void allow_many_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

// A server as they are written: one thread, level-triggered epoll.
int hold(int argc, char **argv)
{
    (void)argc;
    allow_many_descriptors();
    int listener = listen_on(argv[0], atoi(argv[1])), epoll = epoll_create1(0);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            char message[MESSAGE];
            int fd = events[i].data.fd;
            if (fd == listener) {
                watch(epoll, accept_one(listener));
                continue;
            }
            ssize_t n = recv(fd, message, sizeof message, 0);
            if (n > 0) send_all(fd, message, (size_t)n);
            else close(fd);
        }
    }
}

static void use(int fd)
{
    char message[MESSAGE] = "x";
    for (int i = 0; i < ROUNDS; i++) {
        send_all(fd, message, MESSAGE);
        if (!receive_all(fd, message, MESSAGE)) die("the stream ended early");
        usleep(i < 12 ? 0 : 200); // time for an introduction; then the connection is used a little more
    }
}

int idle(int argc, char **argv)
{
    (void)argc;
    allow_many_descriptors();
    int epoll = epoll_create1(0), fd = connect_to(argv[0], atoi(argv[1]));
    char line[16];
    watch(epoll, fd);
    use(fd);
    printf("one\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 0;
    for (int i = atoi(argv[2]); i > 0; i--) {
        fd = connect_to(argv[0], atoi(argv[1]));
        watch(epoll, fd);
        use(fd);
    }
    printf("all\n");
    fflush(stdout);
    struct epoll_event event;
    epoll_wait(epoll, &event, 1, -1);
    return 0;
}
