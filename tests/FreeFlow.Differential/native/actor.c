// One actor: takes its mail, performs the step, answers.
#include "stage.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct stage *stage;
struct slot slots[MaxSlots];
_Thread_local int self;
_Thread_local char *buffer, *answer;
static _Thread_local char line[MaxLine], *rest;
static _Thread_local unsigned broken_pipes;

static void handle(int number)
{
    if (number == SIGPIPE) broken_pipes++;
    else stage->actors[self].interruptions++;
}

void watch_signals(int restart)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = restart ? SA_RESTART : 0};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
}

void say(const char *format, ...)
{
    size_t used = strlen(answer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer + used, MaxResult - used, format, arguments);
    va_end(arguments);
}

void say_result(long result)
{
    if (result >= 0) say("%ld", result);
    else say("-1 %s", strerrorname_np(errno));
}

char *word(void)
{
    char *found = strtok_r(NULL, " ", &rest);
    return found ? found : "";
}

long number(void) { return strtol(word(), NULL, 0); }

int actor_of(const char *name)
{
    int letter = name[0] - 'a', digit = name[0] ? name[1] - '0' : -1;
    return letter < 0 || letter > 2 || digit < 0 || digit > 3 ? -1 : letter * 2 + digit;
}

struct slot *slot(void)
{
    long index = number();
    return &slots[index < 0 || index >= MaxSlots ? 0 : index];
}

struct slot *new_slot(int fd, int kind, const struct slot *like)
{
    struct slot *made = slot();
    if (fd < 0) return made;
    *made = (struct slot){fd, kind, like ? like->connection : 0, like ? like->side : 0};
    if (kind == Stream) {
        stage->connections[made->connection].holders[made->side]++;
        stage->connections[made->connection].begun[made->side] = 1;
    }
    return made;
}

void forget(struct slot *slot)
{
    if (slot->kind == Stream) stage->connections[slot->connection].holders[slot->side]--;
    *slot = (struct slot){-1, None, 0, 0};
}

static void run(const char *text)
{
    static int (*const families[])(const char *) = {transfer_out, transfer_in, streams, readiness, descriptors, options, processes};
    uint32_t interruptions = stage->actors[self].interruptions;
    snprintf(line, sizeof line, "%s", text);
    char *verb = strtok_r(line, " ", &rest);
    broken_pipes = 0;
    settle();
    stage->actors[self].begun = stage->actors[self].mail;
    errno = 0;
    int known = 0;
    for (size_t i = 0; i < sizeof families / sizeof *families && !known; i++) known = families[i](verb);
    if (!known && strcmp(verb, "look") == 0) { look_at_all(); known = 1; }
    if (!known) say("no such step");
    if (broken_pipes) say(" SIGPIPE");
    if (stage->actors[self].interruptions != interruptions) say(" SIGUSR1");
}

void become(int actor, int process)
{
    self = actor;
    if (!buffer) buffer = mmap(NULL, BufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stage->actors[actor].process = process;
    stage->actors[actor].thread = (int)syscall(SYS_gettid);
    stage->actors[actor].pid = (int)syscall(SYS_getpid);
}

void perform(int actor)
{
    struct actor *me = &stage->actors[actor];
    for (;;) {
        uint32_t last = me->done;
        if (me->mail == last) { wait_while(&me->mail, last, -1); continue; }
        uint32_t mail = me->mail;
        if (mail == (uint32_t)Quit) break;
        int step = (int)(mail & 0xffff) % MaxSteps;
        answer = stage->results[step];
        answer[0] = 0;
        if (actor >= Cleaner && step == Looking) look_at_all();
        else if (actor >= Cleaner) clean_up(step);
        else run(stage->lines[step]);
        me->done = mail;
        wake(&me->done);
    }
}
