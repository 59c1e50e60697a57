// read(2), recv(2) and their kin.
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/// As it is when the call begins: another thread may close the slot and use it anew while the call sleeps.
static struct slot *reading(void)
{
    static _Thread_local struct slot held;
    held = *slot();
    return &held;
}

static struct direction *incoming(const struct slot *from) { return &stage->connections[from->connection].by[!from->side]; }

/// Says what came: how many bytes, which, and whether they are the ones that should come.
static void received(struct slot *from, long count, int flags)
{
    int error = errno;
    struct direction *direction = incoming(from);
    say_result(count);
    if (count > 0 && !(flags & MSG_TRUNC) && count <= BufferBytes) {
        // The right bytes need no digest; and where a flood went before, their place in the stream depends on how much that was.
        if (!direction->mixed && ((flags & MSG_OOB) || !check_bytes(buffer, !from->side, direction->consumed, (size_t)count))) say(" %08x", digest(buffer, (size_t)count));
    }
    if (count > 0 && !(flags & (MSG_PEEK | MSG_OOB))) direction->consumed += (uint64_t)count;
    note_roads(from);
    errno = error;
}

static int vectors(struct iovec *into, int most)
{
    size_t at = 0;
    int count = 0;
    for (char *text = word(); *text && count < most; text = word()) {
        into[count] = (struct iovec){buffer + at, (size_t)atol(text)};
        at += into[count++].iov_len;
    }
    return count;
}

static void by_message(struct slot *from, int flags)
{
    struct iovec parts[64];
    char control[128];
    struct sockaddr_storage name;
    struct msghdr message = {.msg_name = &name, .msg_namelen = sizeof name, .msg_control = control, .msg_controllen = sizeof control, .msg_flags = 0x5a5a};
    message.msg_iov = parts;
    message.msg_iovlen = (size_t)vectors(parts, 64);
    received(from, recvmsg(from->fd, &message, flags), flags);
    say(" flags %x name %u control %zu", message.msg_flags, message.msg_namelen, message.msg_controllen);
}

static void by_messages(struct slot *from, int flags)
{
    struct iovec parts[16];
    struct mmsghdr messages[16] = {0};
    int count = vectors(parts, 16);
    long bytes = 0;
    for (int i = 0; i < count; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    int result = recvmmsg(from->fd, messages, (unsigned)count, flags, NULL);
    for (int i = 0; i < result; i++) {
        say("%u/%x+", messages[i].msg_len, messages[i].msg_hdr.msg_flags);
        if (bytes != (char *)parts[i].iov_base - buffer) memmove(buffer + bytes, parts[i].iov_base, messages[i].msg_len);
        bytes += messages[i].msg_len;
    }
    say("%d:", result);
    received(from, result < 0 ? -1 : bytes, flags);
}

static void by_pipe(struct slot *from, size_t count, int flags)
{
    int ends[2];
    if (pipe(ends) != 0) return;
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 18);
    long result = splice(from->fd, NULL, ends[1], NULL, count, (unsigned)flags);
    int error = errno, waiting = 0;
    // It may take less than there is: how much, follows from how the bytes lie in memory.
    while (result > 0 && (size_t)result < count && ioctl(from->fd, FIONREAD, &waiting) == 0 && waiting > 0) {
        long more = splice(from->fd, NULL, ends[1], NULL, count - (size_t)result, (unsigned)flags);
        if (more <= 0) break;
        result += more;
    }
    if (result > 0 && read(ends[0], buffer, (size_t)result) != result) say("pipe holds less ");
    close(ends[0]);
    close(ends[1]);
    errno = error;
    received(from, result, 0);
}

/// Count bytes, or until the end (count 0) or what was sent so far (count -1); says only totals: how they come in pieces depends on the road.
static void all(struct slot *from, long count, size_t most)
{
    struct direction *direction = incoming(from);
    uint64_t total = 0, target = count < 0 ? (direction->sent > direction->consumed ? direction->sent - direction->consumed : 0) : count == 0 ? UINT64_MAX : (uint64_t)count;
    ssize_t done = 1;
    while (total < target) {
        size_t piece = target - total < most ? (size_t)(target - total) : most;
        done = recv(from->fd, buffer, piece, 0);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd readable = {.fd = from->fd, .events = POLLIN};
            if (poll(&readable, 1, 2000) != 0) continue;
        }
        if (done <= 0) break;
        if (!direction->mixed) check_bytes(buffer, !from->side, direction->consumed, (size_t)done);
        total += (uint64_t)done;
        direction->consumed += (uint64_t)done;
    }
    note_roads(from);
    if (count >= 0) say("%llu", (unsigned long long)total);
    else if (total == target) say("all");
    if (total < target) say(done == 0 ? " end" : " %s", done < 0 ? strerrorname_np(errno) : "");
}

int transfer_in(const char *verb)
{
    struct iovec parts[64];
    struct slot *from;
    if (strcmp(verb, "read") == 0) {
        from = reading();
        received(from, read(from->fd, buffer, (size_t)number()), 0);
    } else if (strcmp(verb, "recv") == 0) {
        from = reading();
        size_t count = (size_t)number();
        int flags = (int)number();
        received(from, recv(from->fd, buffer, count, flags), flags);
    } else if (strcmp(verb, "recvfrom") == 0) {
        from = reading();
        size_t count = (size_t)number();
        int flags = (int)number();
        struct sockaddr_storage name;
        socklen_t length = sizeof name;
        received(from, recvfrom(from->fd, buffer, count, flags, (struct sockaddr *)&name, &length), flags);
        say(" name %u", length);
    } else if (strcmp(verb, "readv") == 0) {
        from = reading();
        int count = vectors(parts, 64);
        received(from, readv(from->fd, parts, count), 0);
    } else if (strcmp(verb, "preadv2") == 0) {
        from = reading();
        int flags = (int)number(), count = vectors(parts, 64);
        received(from, preadv2(from->fd, parts, count, -1, flags), 0);
    } else if (strcmp(verb, "sysread") == 0) {
        from = reading();
        received(from, syscall(SYS_read, from->fd, buffer, (size_t)number()), 0);
    } else if (strcmp(verb, "recvmsg") == 0) {
        from = reading();
        by_message(from, (int)number());
    } else if (strcmp(verb, "recvmmsg") == 0) {
        from = reading();
        by_messages(from, (int)number());
    } else if (strcmp(verb, "spliceout") == 0) {
        from = reading();
        size_t count = (size_t)number();
        by_pipe(from, count, (int)number());
    } else if (strcmp(verb, "recvall") == 0) {
        from = reading();
        long count = number();
        size_t most = (size_t)number();
        all(from, count, most > BufferBytes ? BufferBytes : most);
    } else if (strcmp(verb, "recvbad") == 0) {
        from = reading();
        say_result(recv(from->fd, (void *)8, (size_t)number(), MSG_DONTWAIT));
    } else return 0;
    return 1;
}
