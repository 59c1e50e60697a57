#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 128 * 1024 }; // iperf3's block for TCP

int sink(int argc, char **argv)
{
    (void)argc;
    int fd = accept_one(listen_on(argv[0], atoi(argv[1])));
    static char block[BLOCK];
    uint64_t begin = now(CLOCK_MONOTONIC), bytes = 0;
    for (ssize_t n; (n = recv(fd, block, sizeof block, 0)) != 0; bytes += (uint64_t)n)
        if (n < 0) die("recv");
    printf("%lu %.6f\n", bytes, (double)(now(CLOCK_MONOTONIC) - begin) / 1e9);
    return 0;
}

int source(int argc, char **argv)
{
    (void)argc;
    int fd = connect_to(argv[0], atoi(argv[1]));
    static char block[BLOCK];
    uint64_t length = (uint64_t)(atof(argv[2]) * 1e9), begin = now(CLOCK_MONOTONIC);
    while (now(CLOCK_MONOTONIC) - begin < length) send_all(fd, block, sizeof block);
    close(fd);
    return 0;
}
