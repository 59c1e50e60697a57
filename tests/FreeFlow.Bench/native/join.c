#include "probe.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEP_US = 50, MOST_NS = 2000000000 };

static uint64_t carried_by_kernel(int fd)
{
    struct tcp_info facts = {0};
    socklen_t length = sizeof facts;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &facts, &length)) die("TCP_INFO");
    return facts.tcpi_bytes_received;
}

static void pass(int from, int to)
{
    char byte = 'x';
    send_all(from, &byte, 1);
    if (!receive_all(to, &byte, 1)) die("the stream ended early");
}

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int join(int argc, char **argv)
{
    (void)argc;
    int listener = listen_on(argv[0], atoi(argv[1])), count = atoi(argv[2]), joined = 0;
    uint64_t *times = calloc((size_t)count, sizeof *times);
    if (!times) die("calloc");
    for (int i = 0; i < count; i++) {
        int one = connect_to(argv[0], atoi(argv[1])), other = accept_one(listener);
        pass(one, other);
        pass(other, one);
        uint64_t begin = now(CLOCK_MONOTONIC), before = carried_by_kernel(other), passed = 0;
        while (passed < MOST_NS) {
            pass(one, other);
            pass(other, one);
            passed = now(CLOCK_MONOTONIC) - begin;
            uint64_t after = carried_by_kernel(other);
            if (after == before) break;
            before = after;
            usleep(STEP_US);
        }
        if (passed < MOST_NS) times[joined++] = passed;
        close(one);
        close(other);
    }
    qsort(times, (size_t)joined, sizeof *times, by_size);
    for (int i = 0; i < joined; i++) printf("%.1f ", (double)times[i] / 1000);
    printf("%d\n", count - joined);
    return 0;
}

int burn(int argc, char **argv)
{
    (void)argc;
    char end;
    pid_t own = getpid();
    for (int i = atoi(argv[0]); i > 0; i--) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != own) _exit(0);
        for (volatile unsigned turns = 0;; turns++) {}
    }
    puts("burning");
    fflush(stdout);
    // The children go with this process.
    while (read(STDIN_FILENO, &end, 1) > 0) {}
    return 0;
}
