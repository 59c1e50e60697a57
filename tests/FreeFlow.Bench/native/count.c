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

static int sender, receiver, epoll, other;
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
 * Each call TIMES times on a loopback connection of its own, in functions of their own that valgrind --tool=callgrind counts the instructions of. Nothing here
 * looks at a clock. The connection must be in its ring before: FREEFLOW_OFFER_AFTER=0 and FREEFLOW_JOIN=wait.
 */
int count(int argc, char **argv)
{
    (void)argc;
    int listener = listen_on("127.0.0.1", atoi(argv[0])), times = atoi(argv[1]);
    sender = connect_to("127.0.0.1", atoi(argv[0]));
    receiver = accept_one(listener);
    epoll = epoll_create1(0);
    other = open("/dev/null", O_WRONLY);
    watch(epoll, receiver);
    for (int i = 0; i < WARM_UP; i++) {
        struct epoll_event event;
        send_all(sender, message, MESSAGE);
        if (epoll_wait(epoll, &event, 1, -1) != 1 || !receive_all(receiver, message, MESSAGE)) die("warm up");
    }
    uint64_t before = carried_by_kernel();
    for (int i = 0; i < times; i++) {
        counted_send();
        counted_epoll_wait();
        counted_recv();
        counted_recv_empty();
        counted_write_other();
    }
    printf("%lu\n", carried_by_kernel() - before);
    return 0;
}
