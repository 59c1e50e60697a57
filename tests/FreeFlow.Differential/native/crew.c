// The director's hold on the actors: giving steps, telling a call that blocks from one that works, and ending what is left.
#include "stage.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pids[2];

void settle_places(void)
{
    struct in6_addr six = IN6ADDR_LOOPBACK_INIT;
    for (int p = 0; p < 2; p++) {
        struct place *place = &stage->places[p];
        const char *text = getenv(p == 0 ? "STAGE_A" : "STAGE_B");
        char four[32] = "", whole[48] = "";
        place->four = htonl(INADDR_LOOPBACK);
        memcpy(place->six, &six, sizeof place->six);
        if (!text || sscanf(text, "%63s %31s %47s", place->net, four, whole) != 3) continue;
        if (inet_pton(AF_INET, four, &place->four) != 1 || inet_pton(AF_INET6, whole, place->six) != 1) exit(6);
        stage->lag = 1000;
    }
}

int enter(int process)
{
    const char *net = stage->places[process].net;
    if (!*net) return 1;
    int fd = open(net, O_RDONLY | O_CLOEXEC), result = setns(fd, CLONE_NEWNET);
    close(fd);
    return result == 0;
}

/// NAME=VALUE is the fourth word of where a process lives.
static void take_environment(int process)
{
    const char *text = getenv(process == 0 ? "STAGE_A" : "STAGE_B");
    for (int i = 0; text && i < 3; i++) if ((text = strchr(text, ' '))) text++;
    if (text) putenv((char *)text);
}

void start_process(int process, const char *preload)
{
    char number[4] = {(char)('0' + process), 0};
    pids[process] = fork();
    if (pids[process] != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    if (!enter(process)) _exit(126);
    take_environment(process);
    if (*preload) setenv("LD_PRELOAD", preload, 1);
    execl(executable, executable, "process", number, NULL);
    _exit(127);
}

int process_is_alive(int process) { return waitpid(pids[process], NULL, WNOHANG) == 0; }

void give(int actor, int step)
{
    static uint32_t letters;
    stage->actors[actor].mail = (++letters & 0x7fff) << 16 | (uint32_t)step;
    wake(&stage->actors[actor].mail);
}

int is_busy(int actor) { return stage->actors[actor].mail != stage->actors[actor].done; }

static int sleeps(const struct actor *actor)
{
    char path[64], text[256] = "";
    if (actor->thread == 0 || actor->begun != actor->mail) return 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", actor->pid, actor->thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 1;   // gone
    long count = read(fd, text, sizeof text - 1);
    close(fd);
    const char *end = count > 0 ? strrchr(text, ')') : NULL;
    return end && (end[2] == 'S' || end[2] == 'Z');
}

int await(int actor, long patience, long limit)
{
    struct actor *one = &stage->actors[actor];
    uint64_t begin = now(), asleep_since = 0;
    for (;;) {
        uint32_t done = one->done;
        if (done == one->mail) return 1;
        uint64_t time = now();
        if (time - begin > (uint64_t)limit * 1000) return 0;
        if (patience < limit && sleeps(one)) {
            if (asleep_since == 0) asleep_since = time;
            else if (time - asleep_since > (uint64_t)patience * 1000) return one->done == one->mail;
        } else asleep_since = 0;
        wait_while(&one->done, done, patience < limit ? 100000 : 2000000);
    }
}

void interrupt_actor(int actor)
{
    struct actor *one = &stage->actors[actor];
    uint32_t before = one->interruptions;
    syscall(SYS_tgkill, one->pid, one->thread, SIGUSR1);
    for (int i = 0; i < 2000 && one->interruptions == before; i++) nap(100);
}

void dismiss(int actor)
{
    struct actor *child = &stage->actors[actor];
    if (child->process < 0) return;
    for (int i = 0; i < 1000 && child->pid == 0; i++) nap(100);
    if (child->pid != 0) {
        if (is_busy(actor)) syscall(SYS_kill, child->pid, SIGKILL);
        else { child->mail = (uint32_t)Quit; wake(&child->mail); }
    }
    child->process = -1;
}
