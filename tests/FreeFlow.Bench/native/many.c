#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, EVENTS = 256 };

static char block[BLOCK];

// Reads what many connections bring, one block of each that has some in turn, and counts by connection.
int swallow(int argc, char **argv)
{
    (void)argc;
    allow_many_descriptors();
    int listener = listen_on(argv[0], atoi(argv[1])), epoll = epoll_create1(0), streams = atoi(argv[2]), open = 0;
    uint64_t warming = (uint64_t)(atof(argv[3]) * 1e9), length = (uint64_t)(atof(argv[4]) * 1e9), begin = 0, end = 0, all = 0;
    uint64_t *bytes = calloc((size_t)streams, sizeof *bytes), *before = calloc((size_t)streams, sizeof *before);
    int *fds = calloc((size_t)streams, sizeof *fds);
    if (!bytes || !before || !fds) die("calloc");
    while (open < streams) {
        fds[open] = accept_one(listener);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)open++};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[event.data.u32], &event)) die("epoll_ctl");
    }
    for (uint64_t start = now(CLOCK_MONOTONIC); end == 0;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, 1000);
        for (int i = 0; i < count; i++) {
            uint32_t stream = events[i].data.u32;
            ssize_t n = recv(fds[stream], block, sizeof block, MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN) continue;
            if (n <= 0) die("a stream ended early");
            bytes[stream] += (uint64_t)n;
        }
        uint64_t at = now(CLOCK_MONOTONIC);
        if (begin == 0 && at - start >= warming) {
            begin = at;
            memcpy(before, bytes, (size_t)streams * sizeof *bytes);
        }
        if (begin != 0 && at - begin >= length) end = at;
    }
    uint64_t counted = 0, least = UINT64_MAX, most = 0;
    for (int i = 0; i < streams; i++) {
        uint64_t own = bytes[i] - before[i];
        all += bytes[i];
        counted += own;
        if (own < least) least = own;
        if (own > most) most = own;
    }
    printf("%lu %lu %.6f %lu %.1f %lu\n", all, counted, (double)(end - begin) / 1e9, least, (double)counted / streams, most);
    return 0;
}

// Writes into many connections, one block into each that takes it in turn, until the other side closes.
int pour(int argc, char **argv)
{
    (void)argc;
    allow_many_descriptors();
    int epoll = epoll_create1(0);
    for (int i = atoi(argv[2]); i > 0; i--) {
        struct epoll_event event = {.events = EPOLLOUT, .data.fd = connect_to(argv[0], atoi(argv[1]))};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event)) die("epoll_ctl");
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            if (send(events[i].data.fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) return 0;
    }
}
