/* The control protocol between shim and router (FreeFlow.Contract/Messages), as far as two mirrored ends need it. mirror SOCKET SEED LIFE EARLY */
#define _GNU_SOURCE
#include "mirror.h"
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HELLO = 1, WELCOME, OFFER, JOIN, WITHDRAW = 6, MOST = 64, SLOTS = 4096, SLOT = 64 };

static struct { int fd; char *family; uint64_t slot; } sessions[MOST];
static struct end waiting[MOST];
static int session_count, waiting_count;
static uint64_t life;   /* at most so many words are carried before a way is lost; 0: never */
static bool early;
static struct pair *pairs;

static uint64_t number(const unsigned char **at) {
    unsigned char first = *(*at)++;
    if (first < 0x80) return first;
    int bytes = 1 << (first - 0xcc);
    uint64_t value = 0;
    while (bytes--) value = value << 8 | *(*at)++;
    return value;
}

static unsigned char *put(unsigned char *at, uint64_t value) {
    int size = value < 0x80 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x100000000ull ? 4 : 8;
    if (!size) { *at++ = value; return at; }
    *at++ = 0xcc + __builtin_ctz(size);
    while (size--) *at++ = value >> (8 * size);
    return at;
}

static void send_message(int session, unsigned char *message, unsigned length, int *descriptors, int count) {
    char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
    struct iovec vector = { message, length };
    struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
    if (count) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), descriptors, count * sizeof(int));
    }
    if (sendmsg(sessions[session].fd, &header, MSG_NOSIGNAL) < 0) return;
    __atomic_fetch_add((uint32_t *)(sessions[session].family + SLOTS + SLOT * sessions[session].slot + 4), 1, __ATOMIC_SEQ_CST);
}

static void join(struct pair *pair, struct end *end) {
    int memory = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING), bells[2];
    if (memory < 0 || ftruncate(memory, 2 * BLOCK) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, bells)) { perror("mirror"); exit(1); }
    end->ring = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    end->bell = bells[0];
    for (int i = 0; i < 2; i++) {
        struct block *block = (struct block *)(end->ring + i * BLOCK);
        block->magic = 0x31524646;
        block->version = 4;
        block->capacity = CAPACITY;
        block->reader_waiting = 1;
        /* Both ends know the mark of each direction: this end writes its block 0, which is the other's block 1. */
        for (int b = 0; b < 16; b++) block->return_mark[b] = 1 + b * 7 + 100 * (i ^ (end == &pair->end[1]));
    }
    unsigned char message[64] = { 0x97, JOIN }, *at = put(put(put(put(message + 2, end->record), end->generation), 0), CAPACITY);
    at = put(put(at, 0), 0);
    send_message(end->session, message, at - message, (int[]){ memory, bells[1] }, 2);
    close(memory);
    close(bells[1]);
}

static void offered(int session, const unsigned char *at, int socket, uint64_t *random) {
    struct end end = { .session = session, .record = number(&at), .generation = number(&at) };
    socklen_t length = sizeof end.local;
    getsockname(socket, (void *)end.local, &length);
    length = sizeof end.remote;
    getpeername(socket, (void *)end.remote, &length);
    close(socket);
    for (int i = 0; i < waiting_count; i++) {
        if (memcmp(waiting[i].local, end.remote, 16) || memcmp(waiting[i].remote, end.local, 16)) continue;
        struct pair *pair = calloc(1, sizeof *pair);
        pair->end[0] = waiting[i];
        pair->end[1] = end;
        waiting[i] = waiting[--waiting_count];
        pair->direction[1].from = 1;
        pair->random = draw(random, 1u << 30) + 1;
        pair->die_after = life ? 1 + draw(&pair->random, life) : UINT64_MAX;
        pair->early = early;
        pair->next = pairs;
        pairs = pair;
        join(pair, &pair->end[0]);
        join(pair, &pair->end[1]);
        return;
    }
    if (waiting_count < MOST) waiting[waiting_count++] = end;
}

/* Closed; perhaps before the shim has read the Join, whose doorbell is open as long as the message is. */
static void withdrawn(int session, const unsigned char *at) {
    uint64_t record = number(&at), generation = number(&at);
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].session == session && waiting[i].record == record && waiting[i].generation == generation) waiting[i] = waiting[--waiting_count];
    for (struct pair *pair = pairs; pair; pair = pair->next)
        for (int i = 0; i < 2; i++)
            if (pair->end[i].session == session && pair->end[i].record == record && pair->end[i].generation == generation) pair->end[i].gone = true;
}

/* False once the process has gone. */
static bool hear(int session, uint64_t *random) {
    unsigned char message[512];
    char control[CMSG_SPACE(2 * sizeof(int))];
    struct iovec vector = { message, sizeof message };
    struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    if (recvmsg(sessions[session].fd, &header, MSG_CMSG_CLOEXEC) <= 0) return false;
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    int descriptor = -1;
    if (c) memcpy(&descriptor, CMSG_DATA(c), sizeof descriptor);
    const unsigned char *at = message + 2;
    if (message[1] == HELLO) {
        number(&at);
        sessions[session].slot = number(&at);
        sessions[session].family = mmap(NULL, SLOTS + 1024 * SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        close(descriptor);
        unsigned char welcome[] = { 0x93, WELCOME, 3, 1 };
        send_message(session, welcome, sizeof welcome, NULL, 0);
    }
    else if (message[1] == OFFER) offered(session, at, descriptor, random);
    else if (message[1] == WITHDRAW) withdrawn(session, at);
    __atomic_fetch_add((uint32_t *)(sessions[session].family + SLOTS + SLOT * sessions[session].slot + 8), 1, __ATOMIC_SEQ_CST);
    return true;
}

/* False if both ends have let go: the pair is forgotten. */
static bool hear_bells(struct pair *pair) {
    char bytes[256];
    bool alive = false;
    for (int i = 0; i < 2; i++) {
        if (pair->end[i].bell < 0) continue;
        if (recv(pair->end[i].bell, bytes, sizeof bytes, MSG_DONTWAIT) == 0) pair->end[i].gone = true;
        alive |= !pair->end[i].gone;
    }
    return alive;
}

static void serve(const char *path, uint64_t seed) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    uint64_t random = seed * 2654435761u + 1;
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, MOST)) { perror(path); exit(1); }
    puts("ready");
    fflush(stdout);
    while (true) {
        struct pollfd wait[MOST + 2] = { { .fd = listener, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
        bool busy = false;
        for (struct pair **at = &pairs; *at;) {
            struct pair *pair = *at;
            bool alive = hear_bells(pair);
            busy |= carry(pair);
            if (alive || busy) { at = &pair->next; continue; }
            *at = pair->next;
            if (getenv("MIRROR_TELLS")) fprintf(stderr, "mirror: %llu words, %llu and %llu bytes by the rings\n", (unsigned long long)pair->carried, (unsigned long long)pair->direction[0].forwarded, (unsigned long long)pair->direction[1].forwarded);
            for (int i = 0; i < 2; i++) { if (pair->end[i].bell >= 0) close(pair->end[i].bell); munmap(pair->end[i].ring, 2 * BLOCK); }
            free(pair);
        }
        for (int i = 0; i < session_count; i++) wait[i + 2] = (struct pollfd){ .fd = sessions[i].fd, .events = POLLIN };
        /* Doorbells are looked at as often as words may be due. */
        if (poll(wait, session_count + 2, pairs ? 0 : -1) == 0) usleep(busy ? 50 : 100);
        if (wait[1].revents) return;
        for (int i = 0; i < session_count; i++) if (wait[i + 2].revents && !hear(i, &random)) { close(sessions[i].fd); sessions[i].fd = -1; }
        if (wait[0].revents && session_count < MOST) sessions[session_count++].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    }
}

/* Ends with its standard input. */
int main(int count, char **arguments) {
    if (count != 5) { fprintf(stderr, "mirror SOCKET SEED LIFE EARLY\n"); return 2; }
    life = strtoull(arguments[3], NULL, 10);
    early = arguments[4][0] == '1';
    serve(arguments[1], strtoull(arguments[2], NULL, 10));
    return 0;
}
