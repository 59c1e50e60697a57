/*
 * One end of a TCP connection over which both sides send pseudo-random bytes for ever and compare every byte that arrives, until one of them is killed.
 *
 * usage: end listen|connect PORT SEED STYLE [BYTES]
 * STYLE  threads (blocking, a thread each way) | poll | level | edge (epoll) | ask (question and answer, blocking)
 * BYTES  after so many each way the end shuts down and expects the end of the stream; 0 or nothing: never
 *
 * A listener prints "port N" first. Both print "met" once connected, "moving" after the first 200,000 bytes, and at the end one line
 *   end: sent N received M recv=ERRNO send=ERRNO      (0: end of stream, or none yet)
 * and return 0. A wrong byte: "BAD ..." and 2.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PERIOD = 1000003, LARGEST = 100000 };
static unsigned char out[PERIOD + LARGEST], in[PERIOD + LARGEST];
static uint64_t limit, sent, received;
static int fd, sendError, recvError = -1;

static unsigned next(uint64_t *state) { return (unsigned)((*state = *state * 6364136223846793005u + 1442695040888963407u) >> 33); }

static void fill(unsigned char *bytes, uint64_t seed) {
    uint64_t state = seed * 2654435761u + 1;
    for (int i = 0; i < PERIOD; i++) bytes[i] = (unsigned char)next(&state);
    memcpy(bytes + PERIOD, bytes, LARGEST);
}

static size_t size(uint64_t *state) {
    static const unsigned sizes[] = {1, 64, 1000, 4096, 16384, 65536};
    unsigned pick = next(state) % 8;
    return pick < 6 ? sizes[pick] : 1 + next(state) % (pick == 6 ? 3000 : LARGEST);
}

/* 1: went on; 0: would block; -1: over. */
static int sendSome(uint64_t *state) {
    size_t count = size(state);
    if (limit && count > limit - sent) count = limit - sent;
    if (count == 0) { shutdown(fd, SHUT_WR); return -1; }
    ssize_t done = send(fd, out + sent % PERIOD, count, MSG_NOSIGNAL);
    if (done > 0) { sent += (uint64_t)done; return 1; }
    if (done < 0 && errno == EAGAIN) return 0;
    if (done < 0 && errno == EINTR) return 1;
    sendError = done < 0 ? errno : EPROTO;
    return -1;
}

static int receiveSome(uint64_t *state) {
    static unsigned char buffer[LARGEST];
    ssize_t done = recv(fd, buffer, size(state), 0);
    if (done < 0 && errno == EAGAIN) return 0;
    if (done < 0 && errno == EINTR) return 1;
    if (done <= 0) { recvError = done < 0 ? errno : 0; return -1; }
    if (memcmp(buffer, in + received % PERIOD, (size_t)done) != 0) {
        size_t at = 0;
        while (buffer[at] == in[received % PERIOD + at]) at++;
        printf("BAD byte %llu of %llu+%zd\n", (unsigned long long)(received + at), (unsigned long long)received, done);
        exit(2);
    }
    uint64_t before = received;
    received += (uint64_t)done;
    if (before < 200000 && received >= 200000) { puts("moving"); fflush(stdout); }
    return 1;
}

static void *sender(void *state) {
    while (sendSome(state) > 0) { }
    return NULL;
}

static void threads(uint64_t seed) {
    uint64_t other = seed + 77, state = seed;
    pthread_t thread;
    pthread_create(&thread, NULL, sender, &other);
    while (receiveSome(&state) > 0) { }
    pthread_join(thread, NULL);
}

/* Never sends more than one message beyond what it has received: two that do would fill both directions, and sleep for ever. */
static void ask(uint64_t seed, int first) {
    uint64_t state = seed;
    int ok = first || receiveSome(&state) > 0;
    while (ok) {
        while (ok && received >= sent) ok = sendSome(&state) > 0;
        ok = ok && receiveSome(&state) > 0;
    }
    while (recvError < 0 && receiveSome(&state) > 0) { }
}

static void events(uint64_t seed, const char *style) {
    uint64_t state = seed;
    int edge = style[0] == 'e', set = style[0] == 'p' ? -1 : epoll_create1(0), sending = 1;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | (edge ? EPOLLET : 0u) };
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (set >= 0) epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    while (recvError < 0) {
        struct pollfd wait = { fd, (short)(POLLIN | (sending ? POLLOUT : 0)), 0 };
        int ready = set < 0 ? poll(&wait, 1, -1) : epoll_wait(set, &event, 1, -1);
        if (ready < 0 && errno == EINTR) continue;
        unsigned what = set < 0 ? (unsigned)wait.revents : event.events;
        for (int i = 0; (edge || i < 4) && (what & (EPOLLIN | EPOLLERR | EPOLLHUP)); i++) if (receiveSome(&state) <= 0) break;
        for (int i = 0; sending && (edge || i < 4) && (what & EPOLLOUT); i++) {
            int step = sendSome(&state);
            if (step < 0) { sending = 0; event.events = EPOLLIN; if (set >= 0 && !edge) epoll_ctl(set, EPOLL_CTL_MOD, fd, &event); }
            if (step <= 0 || (edge && i > 200)) { if (step > 0) { event.events = EPOLLIN | EPOLLOUT | EPOLLET; epoll_ctl(set, EPOLL_CTL_MOD, fd, &event); } break; }
        }
    }
}

int main(int count, char **words) {
    if (count < 5) return 64;
    int listening = words[1][0] == 'l';
    uint64_t seed = strtoull(words[3], NULL, 10);
    limit = count > 5 ? strtoull(words[5], NULL, 10) : 0;
    fill(listening ? in : out, seed);
    fill(listening ? out : in, seed + 1);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (listening) {
        int listener = fd;
        if (bind(listener, (void *)&address, length) || listen(listener, 1) || getsockname(listener, (void *)&address, &length)) { perror("listen"); return 1; }
        printf("port %d\n", ntohs(address.sin_port));
        fflush(stdout);
        fd = accept(listener, NULL, NULL);
        close(listener);
    } else if (connect(fd, (void *)&address, length)) { perror("connect"); return 1; }
    puts("met");
    fflush(stdout);
    if (words[4][0] == 't') threads(seed + (uint64_t)listening);
    else if (words[4][0] == 'a') ask(seed + (uint64_t)listening, listening);
    else events(seed + (uint64_t)listening, words[4]);
    printf("end: sent %llu received %llu recv=%d send=%d\n", (unsigned long long)sent, (unsigned long long)received, recvError, sendError);
    return 0;
}
