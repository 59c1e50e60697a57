#include "probe.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int descriptor(int argc, char **argv)
{
    (void)argc;
    int ends[2];
    if (pipe(ends)) die("pipe");
    uint64_t length = (uint64_t)(atof(argv[0]) * 1e9), begin = now(CLOCK_MONOTONIC), count = 0;
    uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    while (now(CLOCK_MONOTONIC) - begin < length)
        for (int i = 0; i < 1000; i++, count++) {
            char byte = 'x';
            if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) die("pipe");
        }
    printf("%.2f %lu\n", (double)(now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)count, count);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int start(int argc, char **argv)
{
    (void)argc;
    enum { MOST = 100000 };
    static uint64_t times[MOST];
    char preload[4096];
    char *arguments[] = {argv[2], NULL}, *plain[] = {NULL}, *loaded[] = {preload, NULL};
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", argv[1]);
    uint64_t length = (uint64_t)(atof(argv[0]) * 1e9), begin = now(CLOCK_MONOTONIC);
    size_t count = 0;
    while (count < MOST && now(CLOCK_MONOTONIC) - begin < length) {
        pid_t child;
        int status;
        uint64_t before = now(CLOCK_MONOTONIC);
        if (posix_spawn(&child, argv[2], NULL, NULL, arguments, argv[1][0] ? loaded : plain)) die(argv[2]);
        if (waitpid(child, &status, 0) != child || status != 0) die(argv[2]);
        times[count++] = now(CLOCK_MONOTONIC) - before;
    }
    qsort(times, count, sizeof *times, by_value);
    printf("%.2f %zu\n", (double)times[count / 2] / 1000, count); // the median: a machine with other work has a long tail
    return 0;
}
