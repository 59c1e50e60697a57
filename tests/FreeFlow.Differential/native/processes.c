// fork(2), exec(3), descriptors passed to others, and what is cleaned up after a program.
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void hold_once_more(void)
{
    for (struct slot *each = slots; each < slots + MaxSlots; each++)
        if (each->kind == Stream) stage->connections[each->connection].holders[each->side]++;
}

static void child(int actor, int process)
{
    become(actor, process);
    perform(actor);
    _exit(0);
}

static void expect(int actor)
{
    struct actor *fresh = &stage->actors[actor];
    fresh->mail = fresh->begun = fresh->done = 0;
    fresh->pid = fresh->thread = 0;
    fresh->process = stage->actors[self].process;
}

/// fork NEW-ACTOR
static void fork_actor(void)
{
    int actor = actor_of(word()), process = stage->actors[self].process;
    expect(actor);
    hold_once_more();
    pid_t pid = fork();
    if (pid == 0) child(actor, process);
    say(pid > 0 ? "0" : strerrorname_np(errno));
}

/// exec PLAIN: the same actor goes on in a new image with the slots that are not closed on exec; plain: without the preloaded library.
static void exec_actor(int as_spawn)
{
    static char descriptions[MaxSlots][48], names[5][16];
    char *arguments[MaxSlots + 8] = {(char *)executable, "actor", names[0], names[1], names[2], names[3], names[4]};
    int actor = as_spawn ? actor_of(word()) : self, plain = (int)number(), count = 7;
    snprintf(names[0], sizeof names[0], "%d", actor);
    snprintf(names[1], sizeof names[1], "%d", stage->actors[self].process);
    snprintf(names[2], sizeof names[2], "%d", listeners[0]);
    snprintf(names[3], sizeof names[3], "%d", listeners[1]);
    snprintf(names[4], sizeof names[4], "%u", as_spawn ? 0 : stage->actors[self].mail);
    for (struct slot *each = slots; each < slots + MaxSlots; each++) {
        if (each->kind == None) continue;
        if (fcntl(each->fd, F_GETFD) & FD_CLOEXEC) {
            if (!as_spawn) forget(each);
            continue;
        }
        char *text = descriptions[each - slots];
        snprintf(text, sizeof descriptions[0], "%td:%d:%d:%d:%d", each - slots, each->fd, each->kind, each->connection, each->side);
        arguments[count++] = text;
        if (as_spawn && each->kind == Stream) stage->connections[each->connection].holders[each->side]++;
    }
    arguments[count] = NULL;
    char **environment = environ;
    if (plain) {
        static char *without[256];
        int kept = 0;
        for (char **each = environ; *each && kept < 255; each++) if (strncmp(*each, "LD_PRELOAD=", 11) != 0) without[kept++] = *each;
        environment = without;
    }
    if (as_spawn) {
        pid_t pid;
        expect(actor);
        int error = posix_spawn(&pid, executable, NULL, NULL, arguments, environment);
        say(error == 0 ? "0" : strerrorname_np(error));
        return;
    }
    say("0");
    execve(executable, arguments, environment);
    say(" %s", strerrorname_np(errno));
}

/// pass SLOT TO-ACTOR; take NEW-SLOT. The wire of an actor is a pair of Unix sockets that every process holds; the message says what is passed.
static void pass(int taking)
{
    struct slot told = {-1, None, 0, 0};
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {0};
    struct iovec part = {&told, sizeof told};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (taking) {
        long result = recvmsg(FirstWire + 2 * self, &message, MSG_DONTWAIT);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        int fd = -1;
        if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
        say("%s", result > 0 && fd >= 0 ? "taken" : "nothing");
        new_slot(fd, told.kind, &told);
        if (fd >= 0 && told.kind == Stream) stage->connections[told.connection].holders[told.side]--;   // what the message held
        return;
    }
    struct slot *from = slot();
    int to = actor_of(word());
    told = *from;
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &from->fd, sizeof(int));
    long result = sendmsg(FirstWire + 2 * to + 1, &message, 0);
    if (result > 0 && from->kind == Stream) stage->connections[from->connection].holders[from->side]++;
    say_result(result);
}

int processes(const char *verb)
{
    if (strcmp(verb, "fork") == 0) fork_actor();
    else if (strcmp(verb, "exec") == 0) exec_actor(0);
    else if (strcmp(verb, "spawn") == 0) exec_actor(1);
    else if (strcmp(verb, "pass") == 0) pass(0);
    else if (strcmp(verb, "take") == 0) pass(1);
    else if (strcmp(verb, "sigmode") == 0) { watch_signals((int)number()); say("0"); }
    else if (strcmp(verb, "exit") == 0) {
        for (struct slot *each = slots; each < slots + MaxSlots; each++) if (each->kind) { publish(each); note_roads(each); forget(each); }
        say("0");
        stage->actors[self].done = stage->actors[self].mail;
        wake(&stage->actors[self].done);
        _exit(0);
    } else return 0;
    return 1;
}

/// What a program has left in this process: first its streams end, which wakes whoever sleeps on them; then, when all are awake, it is closed, and the
/// children are buried.
void clean_up(int finally)
{
    char unwanted;
    for (struct slot *each = slots; each < slots + MaxSlots; each++) {
        if (each->kind == Stream && !finally) { note_roads(each); shutdown(each->fd, SHUT_RDWR); }
        if (each->kind == None || !finally) continue;
        close(each->fd);
        *each = (struct slot){-1, None, 0, 0};
    }
    if (!finally) return;
    for (int i = 0; i < 1000 && waitpid(-1, NULL, WNOHANG) >= 0; i++) nap(500);
    for (int i = 0; i < MaxActors; i++) while (recv(FirstWire + 2 * i, &unwanted, 1, MSG_DONTWAIT) > 0) continue;
    watch_signals(0);
}
