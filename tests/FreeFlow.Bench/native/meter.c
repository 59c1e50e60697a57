#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { BLOCK = 64 * 1024, EVENTS = 64, WARMING_SECONDS = 2 };

// What arrives in each second on all connections together, once they have been joined and the kernel has nothing of them any more.
int meter(int argc, char **argv)
{
    (void)argc;
    static char block[BLOCK];
    int listener = listen_on(argv[0], atoi(argv[1])), epoll = epoll_create1(0);
    for (int i = atoi(argv[2]); i > 0; i--) watch(epoll, accept_one(listener));
    uint64_t second = 1000000000, from = now(CLOCK_MONOTONIC), bytes = 0;
    for (int left = atoi(argv[3]), warming = 1; left > 0;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, 1);
        for (int i = 0; i < count; i++) {
            ssize_t n = recv(events[i].data.fd, block, sizeof block, MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN) continue;
            if (n <= 0) die("a stream ended early");
            bytes += (uint64_t)n;
        }
        uint64_t at = now(CLOCK_MONOTONIC), length = at - from;
        if (length < (warming ? WARMING_SECONDS : 1) * second) continue;
        if (!warming) {
            printf("%.6f\n", (double)bytes * 8e3 / (double)length);
            left--;
        }
        warming = 0;
        bytes = 0;
        from = at;
    }
    return 0;
}
