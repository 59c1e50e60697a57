// Loopback delivers a moment after send(2) has returned. Every observing step first waits for what is on its way, by what the kernel itself counts:
// raw system calls, so that the shim neither sees the question nor colours the answer. Bytes in a ring are there at once.
#include "stage.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FarPatience = 30000000 };   // nanoseconds

/// By an instruction of its own, because syscall(2) is interposed: 0 or more, or a negative errno.
static long raw(long number, long a, long b, long c, long d, long e)
{
    long result;
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth) : "rcx", "r11", "memory");
    return result;
}

static int info(int fd, struct tcp_info *into)
{
    socklen_t length = sizeof *into;
    memset(into, 0, sizeof *into);
    return (int)raw(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, (long)into, (long)&length);
}

/// What Nagle's algorithm holds back for an acknowledgement that takes its time goes out now, and what comes later is held back as before.
static void push(int fd)
{
    int value = 0;
    socklen_t length = sizeof value;
    if (raw(SYS_getsockopt, fd, IPPROTO_TCP, TCP_NODELAY, (long)&value, (long)&length) != 0 || value != 0) return;
    for (value = 1; value >= 0; value--) raw(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, (long)&value, sizeof value);
}

void publish(const struct slot *slot)
{
    struct tcp_info facts;
    if (slot->kind != Stream || info(slot->fd, &facts) != 0) return;
    push(slot->fd);
    struct connection *connection = &stage->connections[slot->connection];
    uint64_t written = facts.tcpi_bytes_sent - facts.tcpi_bytes_retrans + facts.tcpi_notsent_bytes;
    if (written > connection->by[slot->side].kernel_written) {
        connection->by[slot->side].kernel_written = written;
        if (connection->holders[!slot->side] == 0) connection->doomed = 1;
    }
}

void look_at_all(void)
{
    struct pollfd all[MaxSlots];
    nfds_t count = 0;
    for (struct slot *slot = slots; slot < slots + MaxSlots; slot++) if (slot->kind == Stream) all[count++] = (struct pollfd){.fd = slot->fd, .events = POLLIN | POLLOUT};
    poll(all, count, 0);
}

void note_roads(const struct slot *slot)
{
    struct tcp_info facts;
    if (slot->kind != Stream || info(slot->fd, &facts) != 0) return;
    // A connection that is reset or dissolved may have lost its counts with that.
    if (stage->connections[slot->connection].doomed) return;
    struct direction *incoming = &stage->connections[slot->connection].by[!slot->side];
    uint64_t consumed = incoming->consumed;
    if (consumed > facts.tcpi_bytes_received) incoming->in_ring = consumed - facts.tcpi_bytes_received;
}

static int raw_poll(int fd, int events)
{
    struct pollfd wanted = {.fd = fd, .events = (short)events};
    return raw(SYS_poll, (long)&wanted, 1, 0, 0, 0) > 0 ? wanted.revents : 0;
}

static int is_settled(const struct slot *slot)
{
    struct connection *connection = &stage->connections[slot->connection];
    struct direction *incoming = &connection->by[!slot->side];
    struct tcp_info facts;
    // More than the reader's window takes does not come before it reads; what is held back for less (Nagle, TCP_CORK) comes by itself.
    if (!connection->begun[!slot->side] || incoming->sent > incoming->consumed + MuchForAWindow) return 1;
    if (connection->holders[!slot->side] == 0)
        return raw_poll(slot->fd, POLLRDHUP) & (connection->doomed ? POLLERR | POLLHUP : POLLRDHUP | POLLHUP);
    if (info(slot->fd, &facts) != 0 || facts.tcpi_state == 7) return 1;
    if (facts.tcpi_bytes_received < incoming->kernel_written) return 0;
    return !incoming->finished || (raw_poll(slot->fd, POLLRDHUP) & (POLLRDHUP | POLLHUP));
}

/// Between two hosts bytes of a ring are on their way for a while, and nothing that the kernel counts tells how many: the program's own question does.
static void settle_far(void)
{
    uint64_t limit = now() + FarPatience;
    nap(stage->lag);
    for (struct slot *slot = slots; slot < slots + MaxSlots; slot++) {
        if (slot->kind != Stream || !stage->connections[slot->connection].begun[!slot->side]) continue;
        struct direction *incoming = &stage->connections[slot->connection].by[!slot->side];
        int there;
        while (now() < limit && incoming->sent > incoming->consumed && incoming->sent < incoming->consumed + MuchForAWindow
            && ioctl(slot->fd, FIONREAD, &there) == 0 && (uint64_t)there < incoming->sent - incoming->consumed) nap(50);
    }
}

void settle(void)
{
    uint64_t limit = 0;
    if (stage->lag) settle_far();
    for (struct slot *slot = slots; slot < slots + MaxSlots; slot++) {
        if (slot->kind != Stream) continue;
        while (!is_settled(slot)) {
            if (limit == 0) limit = now() + 250000000;
            if (now() > limit) return;
            nap(50);
        }
    }
}
