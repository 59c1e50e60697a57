#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 64, FIRST = 12, LATER = 4, BLOCK = 16 * 1024 };

static int orders, results; // pipes between the process that reads standard input and one of the crowd

static void round_trip(int fd)
{
    char message[MESSAGE] = "x";
    send_all(fd, message, MESSAGE);
    if (!receive_all(fd, message, MESSAGE)) die("the stream ended early");
}

static void burst(int fd, size_t bytes)
{
    static char block[BLOCK];
    for (size_t sent = 0; sent < bytes; sent += BLOCK) {
        send_all(fd, block, BLOCK);
        if (!receive_all(fd, block, BLOCK)) die("the stream ended early");
    }
}

// Says that the last order is carried out and waits for the next as a program with an event loop does: on all it has.
static void next_order(int epoll)
{
    char byte = 'x';
    if (write(results, &byte, 1) != 1) die("pipe");
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, -1) != 1 || event.data.fd != orders) continue;
        if (read(orders, &byte, 1) == 1) return;
        exit(0);
    }
}

static void one_of_the_crowd(char **argv, int count, size_t bytes)
{
    int *fds = calloc((size_t)count, sizeof *fds), epoll = epoll_create1(0);
    if (!fds) die("calloc");
    watch(epoll, orders);
    next_order(epoll);
    for (int i = 0; i < count; i++) {
        fds[i] = connect_to(argv[0], atoi(argv[1]));
        watch(epoll, fds[i]);
        for (int k = 0; k < FIRST; k++) round_trip(fds[i]);
    }
    for (int k = 0; k < LATER; k++)
        for (int i = 0; i < count; i++) round_trip(fds[i]);
    next_order(epoll);
    for (int i = 0; i < count; i++) burst(fds[i], bytes);
    next_order(epoll);
    for (int i = 0; i < count; i++) close(fds[i]);
    next_order(epoll);
    exit(0);
}

int crowd(int argc, char **argv)
{
    (void)argc;
    allow_many_descriptors();
    int processes = atoi(argv[2]), done[2], *writers = calloc((size_t)processes, sizeof *writers);
    char line[16];
    if (!writers || pipe(done)) die("pipe");
    for (int i = 0; i < processes; i++) {
        int ends[2];
        if (pipe(ends)) die("pipe");
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            for (int k = 0; k < i; k++) close(writers[k]);
            close(ends[1]);
            close(done[0]);
            orders = ends[0];
            results = done[1];
            one_of_the_crowd(argv, atoi(argv[3]), (size_t)atol(argv[4]));
        }
        writers[i] = ends[1];
        close(ends[0]);
    }
    close(done[1]);
    do {
        for (int i = 0; i < processes; i++)
            if (read(done[0], line, 1) != 1) die("one of the crowd has ended");
        printf("done\n");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin)) break;
        for (int i = 0; i < processes; i++)
            if (write(writers[i], line, 1) != 1) die("pipe");
    } while (1);
    for (int i = 0; i < processes; i++) close(writers[i]);
    while (wait(NULL) > 0) {}
    return 0;
}
