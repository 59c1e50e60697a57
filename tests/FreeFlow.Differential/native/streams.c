// Connections begin and end; and streams that several actors write and read at once.
#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int listeners[2];

static socklen_t address_of(const struct place *place, struct sockaddr_storage *address, int six, int port)
{
    memset(address, 0, sizeof *address);
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *whole = (struct sockaddr_in6 *)address;
    if (!six) *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = place->four};
    else {
        *whole = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        memcpy(&whole->sin6_addr, place->six, sizeof place->six);
    }
    return six ? sizeof *whole : sizeof *four;
}

static int own_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (syscall(SYS_getsockname, fd, &address, &length) != 0) return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port : ((struct sockaddr_in *)&address)->sin_port);
}

static struct slot stream(int connection, int side) { return (struct slot){-1, Stream, connection, side}; }

/// dial CONNECTION TO-PROCESS SIX NON-BLOCKING NO-DELAY SLOT
static void dial(void)
{
    struct sockaddr_storage address;
    struct slot like = stream((int)number(), 0);
    int process = (int)number(), six = (int)number(), later = (int)number(), quick = (int)number();
    socklen_t length = address_of(&stage->places[process], &address, six, stage->ports[process][six]);
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | (later ? SOCK_NONBLOCK : 0), 0);
    if (quick) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &quick, sizeof quick);
    int result = connect(fd, (struct sockaddr *)&address, length);
    say_result(result);
    if (later) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        say(" %d %d", poll(&writable, 1, 2000), writable.revents);
        // connect(2): the second call tells what became of the first.
        result = connect(fd, (struct sockaddr *)&address, length);
        say(" ");
        say_result(result);
    }
    new_slot(fd, Stream, &like);
    struct connection *made = &stage->connections[like.connection];
    made->six = six;
    made->processes[0] = stage->actors[self].process;
    made->processes[1] = process;
    made->ports[1] = stage->ports[process][six];
    made->ports[0] = own_port(fd);
}

/// answer CONNECTION SIX FLAGS NO-DELAY SLOT
static void answer_call(void)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    struct slot like = stream((int)number(), 1);
    int six = (int)number(), flags = (int)number(), quick = (int)number();
    int fd = flags ? accept4(listeners[six], (struct sockaddr *)&address, &length, flags) : accept(listeners[six], (struct sockaddr *)&address, &length);
    if (fd >= 0 && quick) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &quick, sizeof quick);
    say("%s family %d length %u", fd >= 0 ? "0" : strerrorname_np(errno), address.ss_family, length);
    new_slot(fd, Stream, &like);
}

static void end(struct slot *of, int close_it)
{
    publish(of);
    note_roads(of);
    struct slot before = *of;
    if (close_it) {
        forget(of);
        say_result(close(before.fd));
        return;
    }
    int how = (int)number();
    int result = shutdown(of->fd, how);
    if (result == 0 && how != SHUT_RD && of->kind == Stream) stage->connections[of->connection].by[of->side].finished = 1;
    say_result(result);
}

/// dissolve SLOT: connect(2) to AF_UNSPEC, which resets the connection; the socket is a new one.
static void dissolve(void)
{
    struct slot *of = slot();
    publish(of);
    note_roads(of);
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    say_result(connect(of->fd, &nobody, sizeof nobody));
    stage->connections[of->connection].doomed = 1;
}

/// pump SLOT BYTES MOST LETTER: many writers on one stream; what they write tells only who wrote it.
static void pump(void)
{
    struct slot *to = slot();
    size_t left = (size_t)number(), most = (size_t)number();
    char letter = *word();
    unsigned chance = (unsigned)(letter * 7919) + (unsigned)left;
    memset(buffer, letter, most);
    stage->connections[to->connection].by[to->side].mixed = 1;
    while (left > 0) {
        size_t piece = 1 + (size_t)rand_r(&chance) % most;
        if (piece > left) piece = left;
        ssize_t done = send(to->fd, buffer, piece, MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd writable = {.fd = to->fd, .events = POLLOUT};
            poll(&writable, 1, 100);
            continue;
        }
        if (done < 0) break;
        left -= (size_t)done;
        stage->connections[to->connection].by[to->side].sent += (uint64_t)done;
    }
    publish(to);
    say("left %zu%s", left, left ? strerrorname_np(errno) : "");
}

/// drink SLOT BYTES MOST: many readers of one stream, together until so many bytes have come (0: until its end).
static void drink(void)
{
    struct slot *from = slot();
    uint64_t bytes = (uint64_t)number();
    size_t most = (size_t)number();
    struct direction *direction = &stage->connections[from->connection].by[!from->side];
    ssize_t done = 0;
    int error = 0;
    while (bytes == 0 || direction->consumed < bytes) {
        // Another reader may take the last ones: only the stream's end is waited for without limit.
        struct pollfd readable = {.fd = from->fd, .events = POLLIN};
        if (bytes != 0 && poll(&readable, 1, 20) == 0) continue;
        done = recv(from->fd, buffer, most, bytes != 0 ? MSG_DONTWAIT : 0);
        error = errno;
        if (done < 0 && error == EAGAIN) poll(&readable, 1, 20);
        if (done < 0 && (error == EAGAIN || error == EINTR)) continue;
        if (done <= 0) break;
        for (ssize_t i = 0; i < done; i++) direction->tally[(unsigned char)buffer[i] % 4]++;
        direction->consumed += (uint64_t)done;
    }
    note_roads(from);
    if (done < 0) say("%s", strerrorname_np(error));
    else say(done == 0 ? "end" : "enough");
}

static void tally(void)
{
    int connection = (int)number(), side = (int)number();
    struct direction *direction = &stage->connections[connection].by[side];
    for (int i = 0; i < 4; i++) say("%llu ", (unsigned long long)direction->tally[i]);
}

int streams(const char *verb)
{
    if (strcmp(verb, "dial") == 0) dial();
    else if (strcmp(verb, "answer") == 0) answer_call();
    else if (strcmp(verb, "shutdown") == 0) end(slot(), 0);
    else if (strcmp(verb, "close") == 0) end(slot(), 1);
    else if (strcmp(verb, "dissolve") == 0) dissolve();
    else if (strcmp(verb, "pump") == 0) pump();
    else if (strcmp(verb, "drink") == 0) drink();
    else if (strcmp(verb, "tally") == 0) tally();
    else return 0;
    return 1;
}
