#include "probe.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, WARM_UP = 64 };
#define COUNTED __attribute__((noinline, noclone))

static int sender, receiver, epoll, other, listener, port;
static char message[MESSAGE];

COUNTED void counted_send(void) { if (send(sender, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE) die("send"); }
COUNTED void counted_recv(void) { if (recv(receiver, message, MESSAGE, 0) != MESSAGE) die("recv"); }
COUNTED void counted_recv_empty(void) { if (recv(receiver, message, MESSAGE, MSG_DONTWAIT) >= 0) die("recv"); }
COUNTED void counted_write_other(void) { if (write(other, message, MESSAGE) != MESSAGE) die("write"); }

COUNTED void counted_epoll_wait(void)
{
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, 0) != 1) die("epoll_wait");
}

COUNTED void counted_open(int *ends)
{
    ends[0] = connect_to("127.0.0.1", port);
    ends[1] = accept_one(listener);
    watch(epoll, ends[1]);
}

COUNTED void counted_close(int *ends)
{
    close(ends[0]);
    close(ends[1]);
}

static void use(int from, int to, int times)
{
    for (int i = 0; i < times; i++) {
        struct epoll_event event;
        send_all(from, message, MESSAGE);
        if (epoll_wait(epoll, &event, 1, -1) != 1 || !receive_all(to, message, MESSAGE)) die("warm up");
    }
}

// Bytes that the kernel has carried from the sender: none of those that are counted, if they go through a ring.
static uint64_t carried_by_kernel(void)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(sender, IPPROTO_TCP, TCP_INFO, &info, &length)) die("TCP_INFO");
    return info.tcpi_bytes_acked;
}

/*
 * Each call TIMES times on a loopback connection of its own, beside CROWD others that are idle in the same epoll set, in functions of their own that
 * valgrind --tool=callgrind counts the instructions of. Nothing here looks at a clock. The connections must be in their rings before:
 * FREEFLOW_OFFER_AFTER=0 and FREEFLOW_JOIN=wait.
 */
int count(int argc, char **argv)
{
    (void)argc;
    port = atoi(argv[0]);
    int times = atoi(argv[1]), crowd = atoi(argv[2]), ends[2];
    allow_many_descriptors();
    listener = listen_on("127.0.0.1", port);
    epoll = epoll_create1(0);
    other = open("/dev/null", O_WRONLY);
    for (int i = 0; i < crowd; i++) {
        ends[0] = connect_to("127.0.0.1", port);
        ends[1] = accept_one(listener);
        watch(epoll, ends[1]);
        use(ends[0], ends[1], 2);
    }
    sender = connect_to("127.0.0.1", port);
    receiver = accept_one(listener);
    watch(epoll, receiver);
    use(sender, receiver, WARM_UP);
    uint64_t before = carried_by_kernel();
    for (int i = 0; i < times; i++) {
        counted_send();
        counted_epoll_wait();
        counted_recv();
        counted_recv_empty();
        counted_write_other();
    }
    printf("%lu\n", carried_by_kernel() - before);
    for (int i = 0; i < times / 10; i++) {
        counted_open(ends);
        use(ends[0], ends[1], 2);
        counted_close(ends);
    }
    return 0;
}
