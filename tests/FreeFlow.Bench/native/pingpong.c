#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, BIN_NS = 10, BINS = 200000 }; // latencies up to 2 ms, in steps of 10 ns
static const uint64_t WARM_UP_NS = 300000000;

static void exchange(int from, int to, char *message)
{
    send_all(from, message, MESSAGE);
    if (!receive_all(to, message, MESSAGE)) die("the stream ended early");
}

int pair(int argc, char **argv)
{
    (void)argc;
    int listener = listen_on(argv[0], atoi(argv[1]));
    int from = connect_to(argv[0], atoi(argv[1]));
    int to = accept_one(listener);
    uint64_t length = (uint64_t)(atof(argv[2]) * 1e9), count = 0;
    char message[MESSAGE] = "x";
    for (uint64_t begin = now(CLOCK_MONOTONIC); now(CLOCK_MONOTONIC) - begin < WARM_UP_NS;) exchange(from, to, message);
    uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID), begin = now(CLOCK_MONOTONIC);
    while (now(CLOCK_MONOTONIC) - begin < length)
        for (int i = 0; i < 1000; i++, count++) exchange(from, to, message);
    printf("%.2f %lu\n", (double)(now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)count, count);
    return 0;
}

// Receives a whole message without ever sleeping; 0 at the end of the stream.
static int receive_busily(int fd, char *message)
{
    for (size_t have = 0; have < MESSAGE;) {
        ssize_t n = recv(fd, message + have, MESSAGE - have, MSG_DONTWAIT);
        if (n == 0) return 0;
        if (n > 0) have += (size_t)n;
        else if (errno != EAGAIN) die("recv");
    }
    return 1;
}

int pong(int argc, char **argv)
{
    (void)argc;
    int fd = accept_one(listen_on(argv[0], atoi(argv[1])));
    char message[MESSAGE];
    while (receive_busily(fd, message)) send_all(fd, message, MESSAGE);
    return 0;
}

static uint64_t percentile(const uint32_t *bins, uint64_t count, double part)
{
    uint64_t seen = 0;
    for (int i = 0; i < BINS; i++)
        if ((double)(seen += bins[i]) >= part * (double)count) return (uint64_t)i * BIN_NS + BIN_NS / 2;
    return (uint64_t)BINS * BIN_NS;
}

int ping(int argc, char **argv)
{
    (void)argc;
    int fd = connect_to(argv[0], atoi(argv[1]));
    uint64_t length = (uint64_t)(atof(argv[2]) * 1e9), begin = now(CLOCK_MONOTONIC), count = 0, t = begin;
    uint32_t *bins = calloc(BINS, sizeof *bins);
    char message[MESSAGE] = "x";
    if (!bins) die("calloc");
    while (t - begin < WARM_UP_NS + length) {
        send_all(fd, message, MESSAGE);
        if (!receive_busily(fd, message)) die("the stream ended early");
        uint64_t after = now(CLOCK_MONOTONIC), bin = (after - t) / BIN_NS;
        if (t - begin >= WARM_UP_NS) {
            bins[bin < BINS ? bin : BINS - 1]++;
            count++;
        }
        t = after;
    }
    printf("%lu %lu %lu\n", percentile(bins, count, 0.5), percentile(bins, count, 0.99), count);
    return 0;
}
