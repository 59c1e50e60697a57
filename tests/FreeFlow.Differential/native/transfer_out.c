// write(2), send(2) and their kin.
#include "stage.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <fcntl.h>
#include <unistd.h>

/// As it is when the call begins: another thread may close the slot and use it anew while the call sleeps.
static struct slot *writing(void)
{
    static _Thread_local struct slot held;
    held = *slot();
    return &held;
}

static struct direction *outgoing(const struct slot *to) { return &stage->connections[to->connection].by[to->side]; }

/// The next count bytes of this direction, in the buffer at offset.
static void prepare(const struct slot *to, size_t at, size_t count)
{
    if (at + count <= BufferBytes) fill_bytes(buffer + at, to->side, outgoing(to)->sent + at, count);
}

static void sent(struct slot *to, long count, int flags)
{
    int error = errno;
    // The last one goes beside the stream.
    if (flags & MSG_OOB) count--;
    if (count > 0) outgoing(to)->sent += (uint64_t)count;
    publish(to);
    errno = error;
}

static int vectors(const struct slot *to, struct iovec *into, int most)
{
    size_t at = 0;
    int count = 0;
    for (char *text = word(); *text && count < most; text = word()) {
        size_t length = (size_t)atol(text);
        prepare(to, at, length);
        into[count++] = (struct iovec){buffer + at, length};
        at += length;
    }
    return count;
}

/// send-file and splice-in: through a file or a pipe that holds the bytes.
static long from_descriptor(struct slot *to, int by_pipe, size_t count, int flags)
{
    int ends[2] = {-1, -1};
    prepare(to, 0, count);
    long result;
    if (by_pipe) {
        if (pipe(ends) != 0) return -1;
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 18);
        if (write(ends[1], buffer, count) != (ssize_t)count) return -2;
        close(ends[1]);
        result = splice(ends[0], NULL, to->fd, NULL, count, (unsigned)flags);
    } else {
        ends[0] = (int)memfd_create("bytes", MFD_CLOEXEC);
        if (write(ends[0], buffer, count) != (ssize_t)count) return -2;
        off_t offset = 0;
        result = sendfile(to->fd, ends[0], &offset, count + (size_t)flags);
        int error = errno;
        if (offset != (result > 0 ? result : 0)) say("offset %ld ", (long)offset);
        errno = error;
    }
    int error = errno;
    close(ends[0]);
    errno = error;
    return result;
}

/// All of count bytes, however many calls that takes; a full socket is waited for.
static long send_all(struct slot *to, size_t count, size_t most)
{
    struct direction *direction = outgoing(to);
    size_t left = count;
    while (left > 0) {
        size_t piece = left < most ? left : most;
        fill_bytes(buffer, to->side, direction->sent, piece);
        ssize_t done = send(to->fd, buffer, piece, MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd writable = {.fd = to->fd, .events = POLLOUT};
            poll(&writable, 1, 1000);
            continue;
        }
        if (done < 0) return -1;
        left -= (size_t)done;
        direction->sent += (uint64_t)done;
    }
    publish(to);
    return (long)count;
}

int transfer_out(const char *verb)
{
    struct iovec parts[64];
    long result;
    if (strcmp(verb, "write") == 0) {
        struct slot *to = writing();
        size_t count = (size_t)number();
        prepare(to, 0, count);
        sent(to, result = write(to->fd, buffer, count), 0);
    } else if (strcmp(verb, "send") == 0 || strcmp(verb, "sendto") == 0) {
        struct slot *to = writing();
        size_t count = (size_t)number();
        int flags = (int)number();
        prepare(to, 0, count);
        sent(to, result = verb[4] ? sendto(to->fd, buffer, count, flags, NULL, 0) : send(to->fd, buffer, count, flags), flags);
    } else if (strcmp(verb, "more") == 0) {
        // The kernel holds the first part back for 200 ms, or until the second comes.
        struct slot *to = writing();
        size_t first = (size_t)number(), second = (size_t)number();
        prepare(to, 0, first);
        result = send(to->fd, buffer, first, MSG_MORE | MSG_NOSIGNAL);
        if (result > 0) outgoing(to)->sent += (uint64_t)result;
        say_result(result);
        say(" ");
        prepare(to, 0, second);
        sent(to, result = send(to->fd, buffer, second, MSG_NOSIGNAL), 0);
    } else if (strcmp(verb, "corked") == 0) {
        struct slot *to = writing();
        size_t count = (size_t)number();
        int on = 1, off = 0;
        say_result(setsockopt(to->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on));
        say(" ");
        prepare(to, 0, count);
        result = send(to->fd, buffer, count, MSG_NOSIGNAL);
        int error = errno;
        setsockopt(to->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
        errno = error;
        sent(to, result, 0);
    } else if (strcmp(verb, "writev") == 0) {
        struct slot *to = writing();
        int count = vectors(to, parts, 64);
        sent(to, result = writev(to->fd, parts, count), 0);
    } else if (strcmp(verb, "pwritev2") == 0) {
        struct slot *to = writing();
        int flags = (int)number(), count = vectors(to, parts, 64);
        sent(to, result = pwritev2(to->fd, parts, count, -1, flags), 0);
    } else if (strcmp(verb, "syswrite") == 0) {
        struct slot *to = writing();
        size_t count = (size_t)number();
        prepare(to, 0, count);
        sent(to, result = syscall(SYS_write, to->fd, buffer, count), 0);
    } else if (strcmp(verb, "sendmsg") == 0) {
        struct slot *to = writing();
        int flags = (int)number();
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)vectors(to, parts, 64)};
        sent(to, result = sendmsg(to->fd, &message, flags), flags);
    } else if (strcmp(verb, "sendmmsg") == 0) {
        struct slot *to = writing();
        int flags = (int)number(), count = vectors(to, parts, 16);
        struct mmsghdr messages[16] = {0};
        for (int i = 0; i < count; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        result = sendmmsg(to->fd, messages, (unsigned)count, flags);
        long bytes = 0;
        int error = errno;
        for (int i = 0; i < result; i++) { say("%u+", messages[i].msg_len); bytes += messages[i].msg_len; }
        sent(to, bytes, 0);
        errno = error;
    } else if (strcmp(verb, "sendfile") == 0 || strcmp(verb, "splicein") == 0) {
        struct slot *to = writing();
        size_t count = (size_t)number();
        int flags = (int)number();
        sent(to, result = from_descriptor(to, verb[1] == 'p', count, flags), 0);
    } else if (strcmp(verb, "sendall") == 0) {
        struct slot *to = writing();
        size_t count = (size_t)number(), most = (size_t)number();
        result = send_all(to, count, most > BufferBytes ? BufferBytes : most);
    } else if (strcmp(verb, "fill") == 0) {
        // Until nothing more goes in. How much that is differs from road to road; that it ends with EAGAIN does not.
        struct slot *to = writing();
        size_t piece = (size_t)number();
        do {
            prepare(to, 0, piece);
            result = send(to->fd, buffer, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (result > 0) outgoing(to)->sent += (uint64_t)result;
        } while (result > 0);
        int error = errno;
        publish(to);
        errno = error;
    } else if (strcmp(verb, "sendbad") == 0) {
        struct slot *to = writing();
        result = send(to->fd, (void *)8, (size_t)number(), MSG_NOSIGNAL);
    } else return 0;
    say_result(result);
    return 1;
}
