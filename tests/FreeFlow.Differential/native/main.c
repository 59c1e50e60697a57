#include "stage.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

const char *executable = "/proc/self/exe";

static void map_stage(void)
{
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED, StageDescriptor, 0);
    if (stage == MAP_FAILED) exit(3);
    for (int i = 0; i < MaxSlots; i++) slots[i].fd = -1;
}

/// What every process of the stage holds: the shared memory, and a pair of sockets for each actor.
static void build_stage(void)
{
    int memory = (int)memfd_create("stage", 0), pair[2];
    if (memory < 0 || ftruncate(memory, sizeof *stage) != 0 || dup2(memory, StageDescriptor) < 0) exit(3);
    close(memory);
    for (int i = 0; i < MaxActors; i++) {
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) exit(3);
        for (int j = 0; j < 2; j++) { dup2(pair[j], FirstWire + 2 * i + j); close(pair[j]); }
    }
    map_stage();
}

static int listen_at(const struct place *place, int six, _Atomic int *port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = place->four};
    struct sockaddr_in6 whole = {.sin6_family = AF_INET6};
    memcpy(&whole.sin6_addr, place->six, sizeof place->six);
    struct sockaddr *address = six ? (struct sockaddr *)&whole : (struct sockaddr *)&four;
    socklen_t length = six ? sizeof whole : sizeof four;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, address, length) != 0 || listen(fd, 64) != 0 || getsockname(fd, address, &length) != 0) exit(4);
    *port = ntohs(six ? whole.sin6_port : four.sin_port);
    return fd;
}

static void *actor_thread(void *argument)
{
    int actor = (int)(intptr_t)argument;
    become(actor, actor / 2);
    perform(actor);
    return NULL;
}

static int process_main(int process)
{
    map_stage();
    watch_signals(0);
    for (int six = 0; six < 2; six++) listeners[six] = listen_at(&stage->places[process], six, &stage->ports[process][six]);
    become(Cleaner + process, process);
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, actor_thread, (void *)(intptr_t)(2 * process + i)) != 0) return 5;
    }
    perform(Cleaner + process);
    return 0;
}

/// A new image in which an actor goes on: actor NUMBER PROCESS LISTENER LISTENER STEP-DONE SLOT:FD:KIND:CONNECTION:SIDE …
static int actor_main(char **arguments)
{
    map_stage();
    watch_signals(0);
    int actor = atoi(arguments[0]);
    for (int i = 0; i < 2; i++) listeners[i] = atoi(arguments[2 + i]);
    for (char **text = arguments + 5; *text; text++) {
        struct slot made;
        int index;
        if (sscanf(*text, "%d:%d:%d:%d:%d", &index, &made.fd, &made.kind, &made.connection, &made.side) == 5) slots[index] = made;
    }
    become(actor, atoi(arguments[1]));
    stage->actors[actor].done = (uint32_t)atoi(arguments[4]);
    wake(&stage->actors[actor].done);
    perform(actor);
    return 0;
}

int main(int argc, char **argv)
{
    static char path[4096];
    long length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) executable = path;
    if (argc == 3 && strcmp(argv[1], "process") == 0) return process_main(atoi(argv[2]));
    if (argc >= 6 && strcmp(argv[1], "actor") == 0) return actor_main(argv + 2);
    if (argc == 4 && strcmp(argv[1], "direct") == 0) {
        signal(SIGPIPE, SIG_IGN);
        // Children whose parent has ended become the director's, and are buried by the kernel.
        signal(SIGCHLD, SIG_IGN);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        build_stage();
        return direct((const char *const *)argv + 2);
    }
    fprintf(stderr, "stage direct PRELOAD-A PRELOAD-B < programs: an empty name preloads nothing\n");
    return 2;
}
